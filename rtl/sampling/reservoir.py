"""Keeps one of the costs that pass, each with the probability of its weight among all so far."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling.mass import DISTANCE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import EXP2_FRAC
from llama2_myhdl.spec.sampling import SUM_BITS, SUM_BITS_MIN, TOP_BITS, WEIGHT_FRAC, WORD_BITS

LATENCY = 3  # cycles from a total to `accept`


@hblock
def reservoir(clk, total, mantissa, distance, x0, x1, accept):
    """accept: the cost behind (total, mantissa, distance) of `mass` replaces the one that is kept. One a cycle.

    Ports: clk; total, mantissa, distance: as `mass` gives them, the weight being in the total; x0, x1 uint(WORD_BITS):
    random, beside them; accept: out, LATENCY cycles later, combinational: r * total < weight, for the number r of x0,
    x1 between 0 and 1 and the total's upper TOP_BITS bits; see golden.fixed.sampler. One multiplier (18x18).

        total ─> leading one ─> upper bits ─> * ─┐
        x1 ───────────────────────────────────┘  < ─> accept      where the exponents of the two do not decide it
        x0 ─> leading one ─┬──────────> exponent ┘
        mantissa, distance ┘
    """
    PLACES = SUM_BITS - SUM_BITS_MIN + 1  # of a total's leading one
    ZERO_BITS = clog2(PLACES)
    Z_BITS = (WORD_BITS + 1).bit_length()
    LOWEST = SUM_BITS_MIN - 1
    UPPER = SUM_BITS - TOP_BITS
    MANTISSA = EXP2_FRAC + 1
    RANDOM_BITS = EXP2_FRAC + 1  # of the random number, the leading one included
    RANDOM_LOW = WORD_BITS - EXP2_FRAC
    PRODUCT = TOP_BITS + RANDOM_BITS
    # in units of the product the weight is its mantissa, shifted up by CLOSE or one more where they are compared
    CLOSE = PRODUCT - MANTISSA
    BIAS = WEIGHT_FRAC - EXP2_FRAC + TOP_BITS + RANDOM_BITS - SUM_BITS
    LIM = 1 << (DISTANCE_BITS + 1)

    whole = uint(SUM_BITS)
    zeros = uint(ZERO_BITS)
    z = uint(Z_BITS)
    normal = uint(TOP_BITS)
    random1, random2 = uint(RANDOM_BITS), uint(RANDOM_BITS)
    near = uint(DISTANCE_BITS)
    mantissa1, mantissa2 = uint(MANTISSA), uint(MANTISSA)
    weight = uint(MANTISSA + 1)  # in units of 2**CLOSE
    exponent = sint(DISTANCE_BITS + 2)
    product = uint(PRODUCT)
    sure, close = bit(), bit()

    @always(clk.posedge)
    def find():
        place = intbv(0)[ZERO_BITS:]
        leading = intbv(0)[Z_BITS:]
        rest = intbv(0)[SUM_BITS:]
        place[:] = 0
        # each place of the topmost set bit is told by itself, and their codes are ORed: a tree, not a chain
        for k in range(PLACES):
            rest[:] = total >> (LOWEST + k)
            if rest == 1:
                place[:] = place | (PLACES - 1 - k)
        zeros.next = place
        whole.next = total
        leading[:] = 0
        if x0 == 0:
            leading[:] = WORD_BITS
        for j in range(WORD_BITS):
            rest[:] = x0 >> j
            if rest == 1:
                leading[:] = leading | (WORD_BITS - 1 - j)
        z.next = leading
        random1.next = concat(True, x1[WORD_BITS:RANDOM_LOW])
        near.next = distance
        mantissa1.next = mantissa

    @always(clk.posedge)
    def normalise():
        wide = intbv(0)[SUM_BITS:]
        sum_ = intbv(0, min=-LIM, max=LIM)
        wide[:] = whole << zeros
        normal.next = wide[SUM_BITS:UPPER]
        sum_[:] = zeros
        sum_[:] = sum_ + z + BIAS - near
        exponent.next = sum_
        random2.next = random1
        mantissa2.next = mantissa1

    @always(clk.posedge)
    def multiply():
        product.next = random2 * normal
        sure.next = exponent > CLOSE + 1
        close.next = exponent == CLOSE or exponent == CLOSE + 1
        if exponent == CLOSE + 1:
            weight.next = concat(mantissa2, False)
        else:
            weight.next = mantissa2

    @always_comb
    def compare():
        accept.next = sure or (close and product[PRODUCT:CLOSE] < weight)

    return find, normalise, multiply, compare


def ports() -> dict:
    """Fresh ports."""
    weight = dict(total=uint(SUM_BITS), mantissa=uint(EXP2_FRAC + 1), distance=uint(DISTANCE_BITS))
    return dict(clk=bit(), **weight, x0=uint(WORD_BITS), x1=uint(WORD_BITS), accept=bit())
