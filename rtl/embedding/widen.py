"""One int8 element out of a row's beat, shifted to F: the arithmetic of golden.fixed.embedding.embed."""
from myhdl import always, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import clog2

LATENCY = 4  # cycles from word and lane to y
SHIFT_DELAY = 2  # `shift` belongs to the word and lane of that many cycles ago
SHIFT_BITS = 5
_FINE_BITS = 2  # of the shift, done in the first of its two stages


@hblock
def widen(clk, word, lane, shift, y, BITS):
    """y = element `lane` of `word`, times 2**shift. A pure pipeline, one element a cycle, no multiplier.

    Ports: clk; word uint, elements of BITS signed bits, element 0 lowest, their number a power of two from 4 on;
    lane uint, which element; shift uint(SHIFT_BITS), SHIFT_DELAY cycles later than its word, 0 .. len(y) - BITS;
    y signed. Latency LATENCY cycles.

        word ─> one of each group of lanes ─> one of the groups ─> << shift[1:0] ─> << shift[4:2] ─> y
    """
    LANES = len(word) // BITS
    LANE_BITS = len(lane)
    LOW = LANE_BITS // 2  # bits of `lane` that choose inside a group
    GROUP = 1 << LOW
    GROUPS = LANES // GROUP
    FINE = BITS + (1 << _FINE_BITS) - 1
    LIMIT = 1 << (len(y) - 1)
    FINE_BITS, ALL_BITS = _FINE_BITS, SHIFT_BITS

    elements = [sint(BITS) for _ in range(LANES)]
    chosen = [sint(BITS) for _ in range(GROUPS)]
    group = uint(LANE_BITS - LOW)
    element = sint(BITS)
    fine = sint(FINE)
    coarse_shift = uint(SHIFT_BITS)

    lanes = unpack(word, elements)

    @always(clk.posedge)
    def choose():
        for k in range(GROUPS):
            chosen[k].next = elements[k * GROUP + lane[LOW:]]
        group.next = lane[LANE_BITS:LOW]
        element.next = chosen[group]

    @always(clk.posedge)
    def scale():
        narrow = intbv(0, min=-(1 << (FINE - 1)), max=1 << (FINE - 1))
        wide = intbv(0, min=-LIMIT, max=LIMIT)
        narrow[:] = element
        fine.next = narrow << shift[FINE_BITS:]
        coarse_shift.next = concat(shift[ALL_BITS:FINE_BITS], intbv(0)[FINE_BITS:])
        wide[:] = fine
        y.next = wide << coarse_shift

    return lanes, choose, scale


def ports(lanes, bits, f_bits):
    """Fresh ports and parameters, by name."""
    pins = dict(word=uint(lanes * bits), lane=uint(clog2(lanes)), shift=uint(SHIFT_BITS), y=sint(f_bits))
    return dict(clk=bit(), **pins, BITS=bits)
