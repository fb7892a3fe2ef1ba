"""Keeps one of the costs that pass, each with the probability of its weight among all so far."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling import leading as leading_one
from llama2_myhdl.rtl.sampling.leading import leading
from llama2_myhdl.rtl.sampling.mass import DISTANCE_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import EXP2_FRAC
from llama2_myhdl.spec.sampling import SUM_BITS, TOP_BITS, WEIGHT_FRAC, WORD_BITS

LATENCY = leading_one.LATENCY + 2  # cycles from a total to `accept`


@hblock
def reservoir(clk, total, mantissa, distance, x0, x1, whole, zeros, accept):
    """accept: the cost behind (total, mantissa, distance) of `mass` replaces the one that is kept. One a cycle.

    Ports: clk; total, mantissa, distance: as `mass` gives them, the weight being in the total; x0, x1 uint(WORD_BITS):
    random, beside them; whole, zeros: out, as `leading` gives them; accept: out, LATENCY cycles later, combinational:
    r * total < weight, for the number r of x0, x1 between 0 and 1 and the total's upper TOP_BITS bits; see
    golden.fixed.sampler. One multiplier (18x18).

        total ─> leading one ─> upper bits ─> * ─┐
        x1 ───────────────────────────────────┘  < ─> accept      where the exponents of the two do not decide it
        x0 ─> leading one ─┬──────────> exponent ┘
        mantissa, distance ┘
    """
    Z_BITS = (WORD_BITS + 1).bit_length()
    UPPER = SUM_BITS - TOP_BITS
    MANTISSA = EXP2_FRAC + 1
    RANDOM_BITS = EXP2_FRAC + 1  # of the random number, the leading one included
    RANDOM_LOW = WORD_BITS - EXP2_FRAC
    PRODUCT = TOP_BITS + RANDOM_BITS
    # in units of the product the weight is its mantissa, shifted up by CLOSE or one more where they are compared
    CLOSE = PRODUCT - MANTISSA
    BIAS = WEIGHT_FRAC - EXP2_FRAC + TOP_BITS + RANDOM_BITS - SUM_BITS
    LIM = 1 << (DISTANCE_BITS + 1)

    z1, z2 = uint(Z_BITS), uint(Z_BITS)  # zeros ahead of the random number's leading one
    normal = uint(TOP_BITS)
    random1, random2, random3 = [uint(RANDOM_BITS) for _ in range(3)]
    near1, near2 = uint(DISTANCE_BITS), uint(DISTANCE_BITS)
    mantissa1, mantissa2, mantissa3 = [uint(MANTISSA) for _ in range(3)]
    weight = uint(MANTISSA + 1)  # in units of 2**CLOSE
    exponent = sint(DISTANCE_BITS + 2)
    product = uint(PRODUCT)
    sure, close = bit(), bit()
    leading_ = leading(clk, total, whole, zeros)

    @always(clk.posedge)
    def find():
        code = intbv(0)[Z_BITS:]
        rest = intbv(0)[WORD_BITS:]
        code[:] = 0
        if x0 == 0:
            code[:] = WORD_BITS
        # each place of the leading one is told by itself, and their codes are ORed: a tree, not a chain
        for k in range(WORD_BITS):
            rest[:] = x0 >> k
            if rest == 1:
                code[:] = code | (WORD_BITS - 1 - k)
        z1.next = code
        random1.next = concat(True, x1[WORD_BITS:RANDOM_LOW])
        near1.next = distance
        mantissa1.next = mantissa

    @always(clk.posedge)
    def pass_on():
        z2.next = z1
        random2.next = random1
        near2.next = near1
        mantissa2.next = mantissa1

    @always(clk.posedge)
    def normalise():
        wide = intbv(0)[SUM_BITS:]
        sum_ = intbv(0, min=-LIM, max=LIM)
        wide[:] = whole << zeros
        normal.next = wide[SUM_BITS:UPPER]
        sum_[:] = zeros
        sum_[:] = sum_ + z2 + BIAS - near2
        exponent.next = sum_
        random3.next = random2
        mantissa3.next = mantissa2

    @always(clk.posedge)
    def multiply():
        product.next = random3 * normal
        sure.next = exponent > CLOSE + 1
        close.next = exponent == CLOSE or exponent == CLOSE + 1
        if exponent == CLOSE + 1:
            weight.next = concat(mantissa3, False)
        else:
            weight.next = mantissa3

    @always_comb
    def compare():
        accept.next = sure or (close and product[PRODUCT:CLOSE] < weight)

    return leading_, find, pass_on, normalise, multiply, compare


def ports() -> dict:
    """Fresh ports."""
    weight = dict(total=uint(SUM_BITS), mantissa=uint(EXP2_FRAC + 1), distance=uint(DISTANCE_BITS))
    found = dict(whole=uint(SUM_BITS), zeros=uint(leading_one.ZERO_BITS))
    return dict(clk=bit(), **weight, x0=uint(WORD_BITS), x1=uint(WORD_BITS), **found, accept=bit())
