"""Two streams into one."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def merge(clk, rst, s, s_other, m):
    """s, s_other, m: Streams of the same payload; where both have something, s goes first.

    m is a register: latency 1, one transfer a cycle.
    """
    entry, other, held = uint(s.width), uint(s.width), uint(s.width)
    free = bit()
    packing = pack_payload(s, entry)
    packing_other = pack_payload(s_other, other)
    unpacking = unpack_payload(held, m)

    @always_comb
    def accept():
        free.next = m.ready or not m.valid
        s.ready.next = m.ready or not m.valid
        s_other.ready.next = (m.ready or not m.valid) and not s.valid

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
        elif free:
            m.valid.next = s.valid or s_other.valid

    @always(clk.posedge)
    def data():
        if free:
            if s.valid:
                held.next = entry
            else:
                held.next = other

    return packing, packing_other, unpacking, accept, control, data


merge.words = ("s", "s_other", "m")


def ports(stream):
    """Arguments for beats like those of `stream`, by name."""
    return dict(clk=bit(), rst=bit(), s=stream, s_other=stream.clone(), m=stream.clone())
