"""1/sqrt(m) by table and one Newton step: the hardware of golden.fixed.functions.rsqrt."""
from myhdl import always, concat, intbv, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, SEED_FRAC, TABLE_BITS, UNIT
from llama2_myhdl.spec.tables import rsqrt_seed

LATENCY = 6  # cycles from m to y


@hblock
def rsqrt(clk, m, y):
    """y = 1/sqrt(m) for m in [1, 4), bit for bit golden.fixed.functions.rsqrt. Two multipliers.

    Ports: clk; m uint(EXP2_FRAC + 1), 2.15 (32768 .. 131071), to be held until y is there; y uint(EXP2_FRAC + 1), 0.16
    (32768 .. 65536). LATENCY cycles, one value at a time.

        table ─> y0, y0*y0 ─> register ─> m * (y0*y0) ─> 3 - that ─> y0 * that ─> round, at most 1.0 ─> y
    """
    M_BITS = EXP2_FRAC + 1
    M_FRAC = EXP2_FRAC - 1
    HALF_TABLE = TABLE_BITS - 1
    SQUARE_BITS = EXP2_FRAC
    CUT = 2 * SEED_FRAC - EXP2_FRAC  # y0*y0 is cut to EXP2_FRAC fraction bits
    ENTRIES = tuple((seed * seed >> CUT) << SEED_FRAC | seed for seed in rsqrt_seed())
    ENTRY_BITS = SEED_FRAC + SQUARE_BITS
    BRACKET_FRAC = M_FRAC + EXP2_FRAC
    THREE = 3
    U_HIGH = BRACKET_FRAC + 2
    HALF = 1 << (SEED_FRAC - 1)

    entry, entry1 = uint(ENTRY_BITS), uint(ENTRY_BITS)
    product = uint(M_BITS + SQUARE_BITS)
    factor = uint(M_BITS)
    scaled = uint(SEED_FRAC + M_BITS)

    @always(clk.posedge)
    def look_up():
        index = intbv(0)[TABLE_BITS:]
        if m[M_BITS - 1]:
            index[:] = concat(True, m[M_BITS - 1:M_BITS - 1 - HALF_TABLE])
        else:
            index[:] = concat(False, m[M_BITS - 2:M_BITS - 2 - HALF_TABLE])
        entry.next = ENTRIES[index]
        entry1.next = entry

    @always(clk.posedge)
    def correct():
        bracket = modbv(0)[U_HIGH + 1:]  # wraps while m is new and the table entry old
        product.next = m * entry1[ENTRY_BITS:SEED_FRAC]
        bracket[:] = THREE
        bracket[:] = bracket << BRACKET_FRAC
        bracket[:] = bracket - product
        factor.next = bracket[U_HIGH:EXP2_FRAC]
        scaled.next = factor * entry1[SEED_FRAC:]

    @always(clk.posedge)
    def finish():
        rounded = intbv(0)[SEED_FRAC + M_BITS + 1:]
        rounded[:] = scaled + HALF
        if rounded[SEED_FRAC + M_BITS + 1:SEED_FRAC] > UNIT:
            y.next = UNIT
        else:
            y.next = rounded[M_BITS + SEED_FRAC:SEED_FRAC]

    return look_up, correct, finish


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), m=uint(EXP2_FRAC + 1), y=uint(EXP2_FRAC + 1))
