"""Puts the bytes of a boot image together to tape beats."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2


@hblock
def beats(clk, rst, s, m):
    """s: Stream(data = a byte, last); m: Stream(data = a beat, its first byte in the low bits, last).

    A beat that the last byte leaves unfinished goes out as it is: the loader finds the image's length to be wrong.
    `rst` forgets what has been collected. A byte a cycle.
    """
    WIDTH = len(m.data)
    LAST = WIDTH // 8 - 1
    count = uint(clog2(WIDTH // 8))
    take = bit()

    @always_comb
    def accept():
        s.ready.next = m.ready or not m.valid
        take.next = s.valid and (m.ready or not m.valid)

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            count.next = 0
        elif take:
            if count == LAST or s.last:
                m.valid.next = True
                count.next = 0
            else:
                m.valid.next = False
                count.next = count + 1
        elif m.ready:
            m.valid.next = False

    @always(clk.posedge)
    def collect():
        if take:
            m.data.next = concat(s.data, m.data[WIDTH:8])
            m.last.next = s.last

    return accept, control, collect


def ports(build: BuildConfig):
    """Fresh ports, by name."""
    beat = Stream(data=uint(build.beat_bits), last=bit())
    return dict(clk=bit(), rst=bit(), s=Stream(data=uint(8), last=bit()), m=beat)
