"""The natural logarithm of a probability, from the cost of its token and the logarithm of the denominator."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling.log_total import LN_BITS
from llama2_myhdl.rtl.sampling.mass import REFERENCE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint
from llama2_myhdl.spec.formats import F_BITS, F_FRAC
from llama2_myhdl.spec.sampling import BLOCK_BITS, COST_BITS, COST_FRAC, LN2

LATENCY = 3  # cycles from u to y
LOG_LATENCY = 2  # from log
# of a cost above the reference; more of it saturates the result whatever the denominator
HEIGHT_BITS = F_BITS - F_FRAC + COST_FRAC


@hblock
def ln_probability(clk, u, origin, log, y):
    """y = golden.fixed.sampler.log_probability. A pipeline.

    Ports: clk; u sint(COST_BITS), COST_FRAC fraction bits; origin sint(REFERENCE_BITS): the reference of `mass`; log
    sint(LN_BITS): natural logarithm of its total in F, LOG_LATENCY cycles ahead of y; y sint(F_BITS): F, saturated. No
    multiplier: ln 2 is eight powers of two.

        u ─> origin - ─> * ln 2 ─┬─> + ─> y
        log ────────────> 0 - ───┘
    """
    WIDE = HEIGHT_BITS + F_FRAC + 2
    WIDE_LIM = 1 << (WIDE - 1)
    LOG_LIM = 1 << (LN_BITS + COST_FRAC)
    ROOM = COST_BITS + 2
    LIM = 1 << (ROOM - 1)
    UP = COST_FRAC + BLOCK_BITS
    MOST = 1 << HEIGHT_BITS
    TOP = (1 << (ROOM - HEIGHT_BITS)) - 1
    SUM_LIM = 1 << (WIDE + 1)
    UNIT = 1 << COST_FRAC
    SIGN = F_BITS - 1
    if LN2 != (1 << 19) + (1 << 17) + (1 << 16) + (1 << 12) + (1 << 11) - (1 << 8) + (1 << 5) + 1:
        raise ValueError(f"ln_probability: made for ln 2 = 726817 in F, not {LN2}")

    depth = sint(HEIGHT_BITS + 1)
    upper, lower = sint(WIDE), sint(WIDE)
    less = sint(LN_BITS + COST_FRAC + 1)

    @always(clk.posedge)
    def measure():
        difference = intbv(0, min=-LIM, max=LIM)
        difference[:] = origin
        difference[:] = (difference << UP) - u
        # no cost lies below the reference, so what has another top than a small number below 0 is far above it
        if difference[ROOM - 1] and difference[ROOM:HEIGHT_BITS] != TOP:
            depth.next = -MOST
        else:
            depth.next = difference

    @always(clk.posedge)
    def multiply():
        d = intbv(0, min=-WIDE_LIM, max=WIDE_LIM)
        d[:] = depth
        upper.next = ((d << 19) + (d << 17)) + ((d << 16) + (d << 12))
        lower.next = ((d << 11) - (d << 8)) + ((d << 5) + d)

    # golden rounds a cost down: what is subtracted, up
    @always(clk.posedge)
    def negate():
        wide = intbv(0, min=-LOG_LIM, max=LOG_LIM)
        wide[:] = log
        less.next = UNIT - 1 - (wide << COST_FRAC)

    @always(clk.posedge)
    def add():
        sum_ = intbv(0, min=-SUM_LIM, max=SUM_LIM)
        bits = intbv(0)[F_BITS:]
        sum_[:] = upper + lower + less
        sum_[:] = sum_ >> COST_FRAC
        bits[:] = sum_[F_BITS:]
        # rounding alone makes it more than 0
        if sum_ > 0:
            bits[:] = 0
        elif sum_ >> SIGN < -1:
            bits[:] = 0
            bits[SIGN] = True
        y.next = bits.signed()

    return measure, multiply, negate, add


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), u=sint(COST_BITS), origin=sint(REFERENCE_BITS), log=sint(LN_BITS), y=sint(F_BITS))
