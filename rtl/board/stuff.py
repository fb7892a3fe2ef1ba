"""Makes the line's bytes of frames: their ends, and escapes for what would look like one."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.link import END, ESCAPE, FLIP

OPEN, PLAIN, FLIPPED, CLOSE = range(4)
STATE_BITS = 2


@hblock
def stuff(clk, rst, s, m):
    """s: Stream(data = a byte, last), frames; m: Stream(data), the line's bytes as `spec/link.py` has them.

    Each frame has an END of its own on both sides. Latency 0 but for the bytes that are put in.
    """
    state = uint(STATE_BITS)
    special = bit()

    @always_comb
    def recognise():
        special.next = s.data == END or s.data == ESCAPE

    @always_comb
    def handshake():
        m.valid.next = s.valid or state == CLOSE
        s.ready.next = m.ready and ((state == PLAIN and not special) or state == FLIPPED)

    @always_comb
    def choose():
        if state == OPEN or state == CLOSE:
            m.data.next = END
        elif state == FLIPPED:
            m.data.next = s.data ^ FLIP
        elif special:
            m.data.next = ESCAPE
        else:
            m.data.next = s.data

    @always(clk.posedge)
    def control():
        if rst:
            state.next = OPEN
        elif m.ready:
            if state == CLOSE:
                state.next = OPEN
            elif s.valid:
                if state == OPEN:
                    state.next = PLAIN
                elif state == PLAIN and special:
                    state.next = FLIPPED
                elif s.last:
                    state.next = CLOSE
                else:
                    state.next = PLAIN

    return recognise, handshake, choose, control


def ports():
    """Fresh ports, by name."""
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(8), last=bit()), m=Stream(data=uint(8)))
