"""Credits for bursts: one goes on when there is a place for each of its beats."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.axi.bursts import burst_stream
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def places(clk, rst, s, m, give, DEPTH):
    """s, m: `burst_stream`; m is s, from a cycle after there are places enough on, and takes them as it passes.

    give: in, a beat has left its place. DEPTH: places in all, at least as many as the longest burst has beats.
    """
    free = uint(DEPTH.bit_length())
    enough = bit()
    carry_ = carry(s, m)

    @always_comb
    def handshake():
        m.valid.next = enough
        s.ready.next = enough and m.ready

    @always(clk.posedge)
    def count():
        if rst:
            free.next = DEPTH
            enough.next = False
        elif enough and m.ready:
            enough.next = False
            if give:
                free.next = free - s.len
            else:
                free.next = free - s.len - 1
        else:
            enough.next = s.valid and free > s.len
            if give:
                free.next = free + 1

    return carry_, handshake, count


def ports(word_address_bits, depth):
    """Fresh ports and parameters, by name."""
    s = burst_stream(word_address_bits)
    return dict(clk=bit(), rst=bit(), s=s, m=s.clone(), give=bit(), DEPTH=depth)
