"""Exact running sum of squares."""
from myhdl import always, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.split_product import LOW_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import EPS_FRAC

LATENCY = 3  # cycles from x to the total that holds it


@hblock
def sum_of_squares(clk, x, take, first, eps_term, total, FRAC):
    """total = eps_term + sum of x*x over a vector, exact. One element a cycle, LATENCY cycles.

    Ports: clk; x signed, FRAC fraction bits; take: x is an element; first: it is a vector's first; eps_term unsigned,
    EPS_FRAC fraction bits; total unsigned, 2 * FRAC fraction bits, 2 * len(x) - 1 + log2(elements) bits wide.
    Three multipliers: with x = h * 2**16 + l the square is h*h * 2**32 + l*l + h*l * 2**17; the first two do not
    overlap, so that one adder joins the three.
    """
    XBITS = len(x)
    HIGH_BITS = XBITS - LOW_BITS
    MIXED = LOW_BITS + 1
    SQUARE_BITS = 2 * XBITS
    LIMIT = 1 << SQUARE_BITS
    UPPER, LOWER = 1 << (HIGH_BITS - 1), 1 << LOW_BITS
    EPS_SHIFT = 2 * FRAC - EPS_FRAC
    TOTAL_BITS = len(total)

    high_square = sint(2 * HIGH_BITS)
    mixed = sint(HIGH_BITS + LOW_BITS + 1)
    low_square = uint(2 * LOW_BITS)
    square = uint(SQUARE_BITS)
    take1, take2, first1, first2 = [bit() for _ in range(4)]

    @always(clk.posedge)
    def multiply():
        upper = intbv(0, min=-UPPER, max=UPPER)
        lower = intbv(0, min=-LOWER, max=LOWER)
        upper[:] = x[XBITS:LOW_BITS].signed()
        lower[:] = x[LOW_BITS:]  # unsigned, widened
        if take:
            high_square.next = upper * upper
            mixed.next = upper * lower
            low_square.next = x[LOW_BITS:] * x[LOW_BITS:]

    @always(clk.posedge)
    def combine():
        wide = intbv(0, min=-LIMIT, max=LIMIT)
        twice = intbv(0, min=-LIMIT, max=LIMIT)
        wide[:] = concat(high_square[2 * HIGH_BITS:], low_square)
        twice[:] = mixed
        twice[:] = twice << MIXED
        if take1:
            square.next = wide + twice

    @always(clk.posedge)
    def accumulate():
        base = intbv(0)[TOTAL_BITS:]
        take1.next = take
        take2.next = take1
        first1.next = first
        first2.next = first1
        if first2:
            base[:] = eps_term
            base[:] = base << EPS_SHIFT
        else:
            base[:] = total
        if take2:
            total.next = base + square

    return multiply, combine, accumulate


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `sum_of_squares(**ports(cfg))`."""
    element = dict(x=sint(cfg.f_bits), take=bit(), first=bit(), eps_term=uint(EPS_FRAC))
    total = uint(2 * cfg.f_bits - 1 + clog2(cfg.max_dim))
    return dict(clk=bit(), **element, total=total, FRAC=cfg.f_frac)
