"""A skid buffer: cuts valid, payload and ready of a stream."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.stream.stream import bit, uint

LATENCY = 1  # cycles from s to m


@hblock
def skid(clk, rst, s, m):
    """Two entries, so that `s.ready` can be a register and no cycle is lost.

    s, m: Streams of the same payload. `s.ready`, `m.valid` and m's payload come from registers.
    `s.ready` is low during reset and rises one cycle after it. Latency 1, one transfer a cycle.
    """
    entry = uint(s.width)
    head = uint(s.width)
    spare = uint(s.width)
    full = bit()  # `spare` holds the entry that came while `head` could not move
    accept = bit()
    advance = bit()
    packing = pack_payload(s, entry)
    unpacking = unpack_payload(head, m)

    @always_comb
    def moves():
        accept.next = s.valid and s.ready
        advance.next = m.ready or not m.valid

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            s.ready.next = False
            full.next = False
        elif advance:
            m.valid.next = full or accept
            s.ready.next = True
            full.next = False
        else:
            s.ready.next = not (full or accept)
            full.next = full or accept

    @always(clk.posedge)
    def data():
        if advance:
            if full:
                head.next = spare
            elif s.valid:
                head.next = entry
        elif accept:
            spare.next = entry

    return packing, unpacking, moves, control, data


skid.words = ("s", "m")


def ports(stream):
    """Arguments for beats like those of `stream`, by name."""
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())
