"""2**-f of a fraction, by table and linear interpolation, without a multiplier."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.exp2 import SLOPE_BITS
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, TABLE_BITS
from llama2_myhdl.spec.sampling import COST_FRAC
from llama2_myhdl.spec.tables import exp2_slope, exp2_table

LATENCY = 3  # cycles from f to y


@hblock
def exp2_fraction(clk, f, y):
    """y = golden.fixed.functions.exp2_neg of a number below 1. A pure pipeline, one value a cycle.

    Ports: clk; f uint(COST_FRAC), 0.16; y uint(EXP2_FRAC + 1), 1.16 (32768 .. 65536). LATENCY cycles, a table of 256
    words; the slope meets the low bits of f in an adder tree, since multipliers are dear and these factors small.

        f[7:0] ────────────────┐
        f[15:8] ─> table ─> slope * low ─> base - drop ─> y
    """
    LOW = COST_FRAC - TABLE_BITS
    HALF = 1 << (LOW - 1)
    ENTRIES = tuple(base << SLOPE_BITS | slope for base, slope in zip(exp2_table(), exp2_slope()))
    LOWER, UPPER = ENTRIES[:len(ENTRIES) // 2], ENTRIES[len(ENTRIES) // 2:]
    ENTRY_BITS = EXP2_FRAC + 1 + SLOPE_BITS
    PRODUCT_BITS = SLOPE_BITS + LOW
    PAIRS = LOW // 2

    entry, lower_entry, upper_entry = [uint(ENTRY_BITS) for _ in range(3)]
    low = uint(LOW)
    base = uint(EXP2_FRAC + 1)
    product = uint(PRODUCT_BITS)

    # chosen from two halves ahead of the register, as no block RAM does: its output would come late
    @always_comb
    def look_up():
        lower_entry.next = LOWER[f[COST_FRAC - 1:LOW]]
        upper_entry.next = UPPER[f[COST_FRAC - 1:LOW]]

    @always(clk.posedge)
    def register():
        if f[COST_FRAC - 1]:
            entry.next = upper_entry
        else:
            entry.next = lower_entry
        low.next = f[LOW:]

    @always(clk.posedge)
    def multiply():
        slope = intbv(0)[SLOPE_BITS:]
        part = intbv(0)[PRODUCT_BITS:]
        lower = intbv(0)[PRODUCT_BITS:]
        upper = intbv(0)[PRODUCT_BITS:]
        slope[:] = entry[SLOPE_BITS:]
        lower[:] = 0
        upper[:] = 0
        # two bits of the low part at once; the halves are added up side by side
        for k in range(PAIRS):
            part[:] = 0
            if low[2 * k]:
                part[:] = slope
            if low[2 * k + 1]:
                part[:] = part + (slope << 1)
            if k < PAIRS // 2:
                lower[:] = lower + (part << (2 * k))
            else:
                upper[:] = upper + (part << (2 * k))
        product.next = lower + upper
        base.next = entry[ENTRY_BITS:SLOPE_BITS]

    @always(clk.posedge)
    def interpolate():
        rounded = intbv(0)[PRODUCT_BITS + 1:]
        rounded[:] = product + HALF
        y.next = base - rounded[PRODUCT_BITS + 1:LOW]

    return look_up, register, multiply, interpolate


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), f=uint(COST_FRAC), y=uint(EXP2_FRAC + 1))
