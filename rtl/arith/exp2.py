"""2**-u by table, linear interpolation and shift: the hardware of golden.fixed.functions.exp2_neg."""
from myhdl import always, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, INTERP_BITS, TABLE_BITS
from llama2_myhdl.spec.tables import exp2_slope, exp2_table

LATENCY = 7  # cycles from u to y

SLOPE_BITS = 8
SHIFT_BITS = 5
FINE_BITS = 2  # of the shift amount, done in the first of two stages


@hblock
def exp2(clk, u, y):
    """y = 2**-u, bit for bit golden.fixed.functions.exp2_neg. A pure pipeline, one value a cycle.

    Ports: clk; u uint(32), unsigned 12.20; y uint(EXP2_FRAC + 1), 1.16 (0 .. 65536).
    Latency LATENCY cycles. One multiplier (8 x 12 bits), one table of 256 words.

        u[11:0] ──────────────┐
        u[19:12] ─> table ─> slope * lo ─> base - drop ─> >> n[1:0] ─> >> n[4:2] ─> round ─> y
        u[31:20] ─> n = min(u[31:20], 31) ────────────────┴──────────────┘
    """
    SHIFT_LOW = INTERP_BITS + TABLE_BITS
    N_BITS = len(u) - SHIFT_LOW
    N_MAX = (1 << SHIFT_BITS) - 1
    HALF = 1 << (INTERP_BITS - 1)
    ENTRIES = tuple(base << SLOPE_BITS | slope for base, slope in zip(exp2_table(), exp2_slope()))
    ENTRY_BITS = EXP2_FRAC + 1 + SLOPE_BITS
    PRODUCT_BITS = SLOPE_BITS + INTERP_BITS
    WIDE = EXP2_FRAC + 2  # a mantissa with one more fraction bit, for rounding

    entry0, entry1 = uint(ENTRY_BITS), uint(ENTRY_BITS)
    lo0, lo1 = uint(INTERP_BITS), uint(INTERP_BITS)
    n0 = uint(N_BITS)
    n1, n2, n3, n4 = [uint(SHIFT_BITS) for _ in range(4)]
    base, mantissa = uint(EXP2_FRAC + 1), uint(EXP2_FRAC + 1)
    product = uint(PRODUCT_BITS)
    fine, coarse = uint(WIDE), uint(WIDE)

    @always(clk.posedge)
    def look_up():
        entry0.next = ENTRIES[u[SHIFT_LOW:INTERP_BITS]]
        entry1.next = entry0

    @always(clk.posedge)
    def interpolate():
        rounded = intbv(0)[PRODUCT_BITS + 1:]
        lo0.next = u[INTERP_BITS:]
        lo1.next = lo0
        product.next = entry1[SLOPE_BITS:] * lo1
        base.next = entry1[ENTRY_BITS:SLOPE_BITS]
        rounded[:] = product + HALF
        mantissa.next = base - rounded[PRODUCT_BITS + 1:INTERP_BITS]

    @always(clk.posedge)
    def shift():
        wide = intbv(0)[WIDE:]
        rounded = intbv(0)[WIDE + 1:]
        n0.next = u[len(u):SHIFT_LOW]
        if n0 > N_MAX:
            n1.next = N_MAX
        else:
            n1.next = n0
        n2.next = n1
        n3.next = n2
        wide[:] = concat(mantissa, False)
        fine.next = wide >> n3[FINE_BITS:]
        n4.next = concat(n3[SHIFT_BITS:FINE_BITS], intbv(0)[FINE_BITS:])
        coarse.next = fine >> n4
        rounded[:] = coarse + 1
        y.next = rounded[WIDE:1]

    return look_up, interpolate, shift


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), u=uint(F_BITS), y=uint(EXP2_FRAC + 1))
