"""Sine and cosine by a quarter-wave table with linear interpolation: golden.fixed.functions.sine and cosine."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, INTERP_BITS, PHASE_BITS, TABLE_BITS
from llama2_myhdl.spec.tables import sine_slope, sine_table

LATENCY = 5  # cycles from phase to y
VALUE_BITS = EXP2_FRAC + 2  # of y: signed 1.16, -65536 .. 65536

SLOPE_BITS = 9


@hblock
def sincos(clk, phase, cosine, y):
    """y = sin(2*pi * phase / 2**32), or the cosine when `cosine` is high. A pure pipeline, one value a cycle.

    Ports: clk; phase uint(PHASE_BITS), one turn = 2**32; cosine bool; y sint(VALUE_BITS), signed 1.16.
    Latency LATENCY cycles. One multiplier (9 x 12 bits), one table of 256 words.

        phase[29:22] ─^mirror─> table ─> base + slope * lo ─> negate ─> y     mirror: odd quadrants
        phase[21:10] ─^mirror─> lo ──────────────┘              │             negate: lower half turn
        phase[31:30] (+1 for the cosine) ───────────────────────┘
    """
    QUARTER = PHASE_BITS - 2  # the quadrant is in the two bits from here
    INDEX_LOW = QUARTER - TABLE_BITS
    LO_LOW = INDEX_LOW - INTERP_BITS
    INDEX_ONES = (1 << TABLE_BITS) - 1
    LO_ONES = (1 << INTERP_BITS) - 1
    HALF = 1 << (INTERP_BITS - 1)
    ENTRIES = tuple(base << SLOPE_BITS | slope for base, slope in zip(sine_table(), sine_slope()))
    ENTRY_BITS = EXP2_FRAC + 1 + SLOPE_BITS
    PRODUCT_BITS = SLOPE_BITS + INTERP_BITS
    LIMIT = 1 << (VALUE_BITS - 1)

    index = uint(TABLE_BITS)
    entry0, entry1 = uint(ENTRY_BITS), uint(ENTRY_BITS)
    lo0, lo1 = uint(INTERP_BITS), uint(INTERP_BITS)
    product = uint(PRODUCT_BITS)
    base, magnitude = uint(EXP2_FRAC + 1), uint(EXP2_FRAC + 1)
    mirror, negate0, negate1, negate2, negate3 = [bit() for _ in range(5)]

    @always_comb
    def fold():
        mirror.next = phase[QUARTER] ^ cosine

    @always_comb
    def address():
        if mirror:
            index.next = phase[QUARTER:INDEX_LOW] ^ INDEX_ONES
        else:
            index.next = phase[QUARTER:INDEX_LOW]

    @always(clk.posedge)
    def look_up():
        entry0.next = ENTRIES[index]
        entry1.next = entry0

    @always(clk.posedge)
    def interpolate():
        rounded = intbv(0)[PRODUCT_BITS + 1:]
        if mirror:
            lo0.next = phase[INDEX_LOW:LO_LOW] ^ LO_ONES
        else:
            lo0.next = phase[INDEX_LOW:LO_LOW]
        lo1.next = lo0
        product.next = entry1[SLOPE_BITS:] * lo1
        base.next = entry1[ENTRY_BITS:SLOPE_BITS]
        rounded[:] = product + HALF
        magnitude.next = base + rounded[PRODUCT_BITS + 1:INTERP_BITS]

    @always(clk.posedge)
    def sign():
        value = intbv(0, min=-LIMIT, max=LIMIT)
        negate0.next = phase[QUARTER + 1] ^ (phase[QUARTER] & cosine)
        negate1.next = negate0
        negate2.next = negate1
        negate3.next = negate2
        value[:] = magnitude
        if negate3:
            y.next = -value
        else:
            y.next = value

    return fold, address, look_up, interpolate, sign


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), phase=uint(PHASE_BITS), cosine=bit(), y=sint(VALUE_BITS))
