"""Spells an event: the bytes of its frame, one after the other."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload
from llama2_myhdl.rtl.board.event import event_stream
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint


@hblock
def spell(clk, rst, s, m):
    """s: `event_stream`, or any other of whole bytes; m: Stream(data = a byte, last), the low bytes first.

    A byte a cycle, and one cycle between two events.
    """
    BYTES, WIDTH = s.width // 8, s.width
    left = uint(BYTES.bit_length())
    entry, rest = uint(WIDTH), uint(WIDTH)
    packing = pack_payload(s, entry)

    @always_comb
    def handshake():
        s.ready.next = left == 0
        m.valid.next = left != 0
        m.data.next = rest[8:]
        m.last.next = left == 1

    @always(clk.posedge)
    def control():
        if rst:
            left.next = 0
        elif left == 0:
            if s.valid:
                left.next = BYTES
        elif m.ready:
            left.next = left - 1

    @always(clk.posedge)
    def shift():
        if left == 0:
            rest.next = entry
        elif m.ready:
            rest.next = rest >> 8

    return packing, handshake, control, shift


def ports():
    """Fresh ports, by name."""
    return dict(clk=bit(), rst=bit(), s=event_stream(), m=Stream(data=uint(8), last=bit()))
