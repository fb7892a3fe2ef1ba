"""1/d by table and one Newton step: the hardware of golden.fixed.functions.reciprocal."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, SEED_FRAC, TABLE_BITS
from llama2_myhdl.spec.tables import reciprocal_seed

LATENCY = 6  # cycles from d to y


@hblock
def reciprocal(clk, d, y):
    """y = 1/d for d in [1, 2), bit for bit golden.fixed.functions.reciprocal. A pure pipeline, one value a cycle.

    Ports: clk; d uint(EXP2_FRAC + 1), 1.16 (65536 .. 131071); y uint(EXP2_FRAC + 1), 0.16 (32768 .. 65536).
    Latency LATENCY cycles. Two multipliers (12 x 17 bits), one table of 256 words of 12 bits.

        d[15:8] ─> table ─> y0 ─┬─> d * y0 ─> u = 2 - d*y0 ─> y0 * u ─> round ─> y
        d ──────────────────────┘                              │
                                y0 ────────────────────────────┘
    """
    SEEDS = reciprocal_seed()
    INDEX_LOW = EXP2_FRAC - TABLE_BITS
    PRODUCT_BITS = EXP2_FRAC + 1 + SEED_FRAC  # of d * y0, close to 1.0 with 28 fraction bits
    TWO = 2 << (EXP2_FRAC + SEED_FRAC)
    HALF = 1 << (SEED_FRAC - 1)

    d0, d1 = uint(EXP2_FRAC + 1), uint(EXP2_FRAC + 1)
    seed0, seed1, seed2, seed3 = [uint(SEED_FRAC) for _ in range(4)]
    product = uint(PRODUCT_BITS)
    u = uint(EXP2_FRAC + 1)
    wide = uint(PRODUCT_BITS)

    @always(clk.posedge)
    def look_up():
        seed0.next = SEEDS[d[EXP2_FRAC:INDEX_LOW]]
        seed1.next = seed0
        d0.next = d
        d1.next = d0

    @always(clk.posedge)
    def newton():
        bracket = intbv(0)[PRODUCT_BITS + 1:]
        product.next = d1 * seed1
        seed2.next = seed1
        bracket[:] = TWO - product
        u.next = bracket[PRODUCT_BITS:SEED_FRAC]
        seed3.next = seed2
        wide.next = seed3 * u

    @always(clk.posedge)
    def finish():
        rounded = intbv(0)[PRODUCT_BITS + 1:]
        rounded[:] = wide + HALF
        y.next = rounded[EXP2_FRAC + 1 + SEED_FRAC:SEED_FRAC]  # a Newton step ends below 1/d: 1.0 at most

    return look_up, newton, finish


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), d=uint(EXP2_FRAC + 1), y=uint(EXP2_FRAC + 1))
