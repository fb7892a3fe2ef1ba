"""A spill register: cuts ready of a stream, without a cycle of latency."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def spill(clk, rst, s, m):
    """One entry, so that `s.ready` can be a register: what m does not take at once waits here.

    s, m: Streams of the same payload. m shows s within the cycle unless an entry waits; `s.ready` comes from a
    register, is low during reset and rises one cycle after it. Latency 0, one transfer a cycle.
    """
    entry = uint(s.width)
    spare = uint(s.width)
    head = uint(s.width)
    full = bit()
    packing = pack_payload(s, entry)
    unpacking = unpack_payload(head, m)

    @always_comb
    def show():
        m.valid.next = full or (s.valid and s.ready)
        if full:
            head.next = spare
        else:
            head.next = entry

    @always(clk.posedge)
    def control():
        if rst:
            full.next = False
            s.ready.next = False
        else:
            full.next = (full or (s.valid and s.ready)) and not m.ready
            s.ready.next = not ((full or (s.valid and s.ready)) and not m.ready)

    @always(clk.posedge)
    def data():
        if s.ready and s.valid:
            spare.next = entry

    return packing, unpacking, show, control, data


spill.words = ("s", "m")


def ports(stream):
    """Arguments for beats like those of `stream`, by name."""
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())
