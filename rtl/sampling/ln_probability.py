"""The natural logarithm of a probability, from the cost of its token and the logarithm of the denominator."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling.log_total import LN_BITS
from llama2_myhdl.rtl.sampling.mass import REFERENCE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint
from llama2_myhdl.spec.formats import F_BITS, F_FRAC
from llama2_myhdl.spec.sampling import BLOCK_BITS, COST_BITS, COST_FRAC, LN2

SUM = 3  # cycles from u to the sum of its terms
LATENCY = SUM + 1  # to y, with `log` a cycle ahead of it
# of a cost above the reference; more of it saturates the result whatever the denominator
HEIGHT_BITS = F_BITS - F_FRAC + COST_FRAC


@hblock
def ln_probability(clk, u, origin, log, y):
    """y = golden.fixed.sampler.log_probability. A pipeline.

    Ports: clk; u sint(COST_BITS), COST_FRAC fraction bits; origin sint(REFERENCE_BITS): the reference of `mass`; log
    sint(LN_BITS): natural logarithm of its total in F; y sint(F_BITS): F, saturated. No multiplier: ln 2 is eight
    powers of two.

        u ─> - origin ─> * ln 2 ─> + log ─> 0 - ─> y
    """
    WIDE = HEIGHT_BITS + F_FRAC + 2
    WIDE_LIM = 1 << (WIDE - 1)
    ROOM = COST_BITS + 2
    LIM = 1 << (ROOM - 1)
    UP = COST_FRAC + BLOCK_BITS
    MOST = (1 << HEIGHT_BITS) - 1
    TERM_BITS = WIDE - COST_FRAC
    SUM_LIM = 1 << TERM_BITS
    SIGN = F_BITS - 1
    if LN2 != (1 << 19) + (1 << 17) + (1 << 16) + (1 << 12) + (1 << 11) - (1 << 8) + (1 << 5) + 1:
        raise ValueError(f"ln_probability: made for ln 2 = 726817 in F, not {LN2}")

    height = sint(HEIGHT_BITS + 1)
    upper, lower, term = sint(WIDE), sint(WIDE), sint(TERM_BITS)

    @always(clk.posedge)
    def measure():
        difference = intbv(0, min=-LIM, max=LIM)
        difference[:] = origin
        difference[:] = u - (difference << UP)
        if difference > MOST:
            height.next = MOST
        else:
            height.next = difference

    @always(clk.posedge)
    def multiply():
        h = intbv(0, min=-WIDE_LIM, max=WIDE_LIM)
        h[:] = height
        upper.next = ((h << 19) + (h << 17)) + ((h << 16) + (h << 12))
        lower.next = ((h << 11) - (h << 8)) + ((h << 5) + h)

    @always(clk.posedge)
    def add():
        sum_ = intbv(0, min=-WIDE_LIM, max=WIDE_LIM)
        sum_[:] = upper + lower
        term.next = sum_ >> COST_FRAC

    @always(clk.posedge)
    def negate():
        sum_ = intbv(0, min=-SUM_LIM, max=SUM_LIM)
        bits = intbv(0)[F_BITS:]
        sum_[:] = term + log
        sum_[:] = -sum_
        bits[:] = sum_[F_BITS:]
        # rounding alone makes it more than 0
        if sum_ > 0:
            bits[:] = 0
        elif sum_ >> SIGN < -1:
            bits[:] = 0
            bits[SIGN] = True
        y.next = bits.signed()

    return measure, multiply, add, negate


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), u=sint(COST_BITS), origin=sint(REFERENCE_BITS), log=sint(LN_BITS), y=sint(F_BITS))
