"""Leading one of the softmax denominator, and the denominator as 1.16."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import EXP2_FRAC

LATENCY = 4  # cycles from den and scale to d and top

FINE_BITS = 2  # of the normalising shift, done in the second of two stages


@hblock
def leading_one(clk, den, scale, d, top, P_FRAC):
    """d = (den >> scale) as 1.16, truncated; top = place of its leading one, P_FRAC - 1 or above.

    Ports: clk; den, scale unsigned, the lazily shifted denominator (lazy.py); d uint(EXP2_FRAC + 1); top unsigned.
    The largest weight is always in the sum, so the true denominator is 2**(P_FRAC - 1) at least; smaller ones (between
    heads) give no meaningful result. A pure pipeline, LATENCY cycles.

        den ─> >> scale ─> leading one ─> << coarse ─> << fine ─> d
    """
    DEN = len(den)
    BITS = DEN - (1 << len(scale)) + 1
    LOWEST = P_FRAC - 1
    PLACES = BITS - LOWEST  # of the leading one
    ZERO_BITS = clog2(PLACES)
    HIGHEST = BITS - 1
    LOW = BITS - 1 - EXP2_FRAC
    COARSE = (1 << ZERO_BITS) - (1 << FINE_BITS) if ZERO_BITS > FINE_BITS else 0
    if LOW < 0:
        raise ValueError(f"leading_one: den must have at least {EXP2_FRAC + 1} bits beside its scale, has {BITS}")

    whole, waited, coarse = uint(BITS), uint(BITS), uint(BITS)
    zeros, zeros1 = uint(ZERO_BITS), uint(ZERO_BITS)

    @always(clk.posedge)
    def take_whole():
        t = intbv(0)[DEN:]
        t[:] = den >> scale
        whole.next = t[BITS:]

    @always(clk.posedge)
    def find():
        found = intbv(0)[ZERO_BITS:]
        found[:] = 0
        for k in range(PLACES):  # the highest place wins
            if whole[LOWEST + k]:
                found[:] = PLACES - 1 - k
        zeros.next = found
        waited.next = whole

    @always(clk.posedge)
    def shift():
        n = intbv(0)[ZERO_BITS:]
        shifted = intbv(0)[BITS:]
        n[:] = zeros & COARSE
        coarse.next = waited << n
        zeros1.next = zeros
        n[:] = zeros1 - (zeros1 & COARSE)
        shifted[:] = coarse << n
        d.next = shifted[BITS:LOW]
        top.next = HIGHEST - zeros1

    return take_whole, find, shift
