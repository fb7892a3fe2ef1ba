"""A stream register: cuts valid and payload, not ready."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def register(clk, rst, s, m):
    """One-entry stream register.

    s, m: Streams of the same payload. `s.ready` follows `m.ready` within the cycle; use `skid` to cut that path too.
    Latency 1, one transfer a cycle.
    """
    entry = uint(s.width)
    held = uint(s.width)
    packing = pack_payload(s, entry)
    unpacking = unpack_payload(held, m)

    @always_comb
    def accept():
        s.ready.next = m.ready or not m.valid

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
        elif m.ready or not m.valid:
            m.valid.next = s.valid

    @always(clk.posedge)
    def data():
        if s.valid and (m.ready or not m.valid):
            held.next = entry

    return packing, unpacking, accept, control, data


register.words = ("s", "m")


def ports(stream):
    """Arguments for beats like those of `stream`, by name."""
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())
