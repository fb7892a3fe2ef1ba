"""Takes the escapes out of the line's bytes: what is left are bytes of frames, and the frames' ends."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.link import END, ESCAPE, FLIP


def part_stream() -> Stream:
    """A byte of a frame, or with `end` up no byte but the end of one; two ends side by side have no frame between."""
    return Stream(data=uint(8), end=bit())


@hblock
def unstuff(clk, rst, s, m):
    """s: Stream(data), the line's bytes as `spec/link.py` has them; m: `part_stream`. Latency 0."""
    escaped = bit()

    @always_comb
    def handshake():
        s.ready.next = m.ready
        m.valid.next = s.valid and s.data != ESCAPE
        m.end.next = s.data == END

    @always_comb
    def restore():
        if escaped:
            m.data.next = s.data ^ FLIP
        else:
            m.data.next = s.data

    @always(clk.posedge)
    def remember():
        if rst:
            escaped.next = False
        elif s.valid and s.ready:
            escaped.next = s.data == ESCAPE

    return handshake, restore, remember


def ports():
    """Fresh ports, by name."""
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(8)), m=part_stream())
