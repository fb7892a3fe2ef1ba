"""1/sqrt(m) by table and one Newton step: the hardware of golden.fixed.functions.rsqrt."""
from myhdl import always, concat, intbv

from rtl.config import EXP2_FRAC, SEED_FRAC, TABLE_BITS, UNIT
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import uint
from rtl.tables import rsqrt_seed

LATENCY = 8  # cycles from start to y


@hblock
def rsqrt(clk, start, m, y):
    """y = 1/sqrt(m) for m in [1, 4), bit for bit golden.fixed.functions.rsqrt. One multiplier, used three times.

    Ports: clk; start: m is new; m uint(EXP2_FRAC + 1), 2.15 (32768 .. 131071), to be held until y is there;
    y uint(EXP2_FRAC + 1), 0.16 (32768 .. 65536). LATENCY cycles, one value at a time.

        start    +1       +2        +4         +6             +7
        table -> seed -> y0*y0 -> m*(y0*y0) -> y0*(3 - ...) -> round, at most 1.0 -> y
    """
    SEEDS = rsqrt_seed()
    M_BITS = EXP2_FRAC + 1
    M_FRAC = EXP2_FRAC - 1
    HALF_TABLE = TABLE_BITS - 1
    PRODUCT_BITS = 2 * M_BITS
    SQUARE_LOW = 2 * SEED_FRAC - EXP2_FRAC  # y0*y0 is cut to EXP2_FRAC fraction bits
    SQUARE_HIGH = 2 * SEED_FRAC
    BRACKET_FRAC = M_FRAC + EXP2_FRAC
    THREE = 3
    U_HIGH = BRACKET_FRAC + 2
    HALF = 1 << (SEED_FRAC - 1)
    SCALE, LAST = 3, 5  # steps after start at which the second and third product's operands are chosen

    seed = uint(SEED_FRAC)
    a, b = uint(M_BITS), uint(M_BITS)
    product = uint(PRODUCT_BITS)
    steps = uint(LAST)  # bit k: start was k + 1 cycles ago

    @always(clk.posedge)
    def look_up():
        index = intbv(0)[TABLE_BITS:]
        steps.next = concat(steps[LAST - 1:], start)
        if m[M_BITS - 1]:
            index[:] = concat(True, m[M_BITS - 1:M_BITS - 1 - HALF_TABLE])
        else:
            index[:] = concat(False, m[M_BITS - 2:M_BITS - 2 - HALF_TABLE])
        seed.next = SEEDS[index]

    @always(clk.posedge)
    def choose():
        bracket = intbv(0)[U_HIGH + 1:]
        a.next = seed
        if steps[SCALE - 1]:
            a.next = m
            b.next = product[SQUARE_HIGH:SQUARE_LOW]
        elif steps[LAST - 1]:
            bracket[:] = THREE
            bracket[:] = bracket << BRACKET_FRAC
            bracket[:] = bracket - product
            b.next = bracket[U_HIGH:EXP2_FRAC]
        else:
            b.next = seed

    @always(clk.posedge)
    def multiply():
        product.next = a * b

    @always(clk.posedge)
    def finish():
        rounded = intbv(0)[PRODUCT_BITS + 1:]
        rounded[:] = product + HALF
        if rounded[PRODUCT_BITS + 1:SEED_FRAC] > UNIT:
            y.next = UNIT
        else:
            y.next = rounded[M_BITS + SEED_FRAC:SEED_FRAC]

    return look_up, choose, multiply, finish
