"""A row of rounding shifters: elements of F to mantissas."""
from myhdl import always, intbv

from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack, unpack
from rtl.stream.stream import bit, sint, uint

LATENCY = 2  # cycles from x to y

FINE_BITS = 3  # of the exponent, done in the second of two stages


@hblock
def round_lanes(clk, x, keep, exponent, narrow, y, BITS, NARROW):
    """y[k] = golden.fixed.arith: round_shift(x[k], exponent), clipped to BITS (NARROW when `narrow`); 0 if not keep[k].

    Ports: clk; x: lanes of F; keep: a bit a lane; exponent unsigned, large enough that every mantissa fits before
    rounding; narrow bool; y: lanes of signed BITS. One row a cycle, LATENCY cycles. No multiplier.

        x, 0 ─> >> exponent[high:3] ─> >> exponent[2:0] ─> (+1) >> 1 ─> clip ─> y
    """
    LANES = len(keep)
    F = len(x) // LANES
    E_BITS = len(exponent)
    MID = BITS + (1 << FINE_BITS)  # a mantissa, a rounding bit, and what the fine shift may still drop
    WIDE = 1 << F
    SIGN = BITS
    HIGHEST, NARROW_HIGHEST = (1 << (BITS - 1)) - 1, (1 << (NARROW - 1)) - 1
    LIMIT = 1 << (BITS + 1)

    elements = [sint(F) for _ in range(LANES)]
    coarse = [sint(MID) for _ in range(LANES)]
    mantissas = [sint(BITS) for _ in range(LANES)]
    fine = uint(FINE_BITS)
    narrow1 = bit()

    split = unpack(x, elements)
    packing = pack(mantissas, y)

    @always(clk.posedge)
    def shift_coarse():
        wide = intbv(0, min=-WIDE, max=WIDE)
        amount = intbv(0)[E_BITS:]
        amount[:] = exponent[E_BITS:FINE_BITS]
        amount[:] = amount << FINE_BITS
        fine.next = exponent[FINE_BITS:]
        narrow1.next = narrow
        for k in range(LANES):
            wide[:] = elements[k]
            wide[:] = wide << 1  # one fraction bit more, for rounding
            wide[:] = wide >> amount
            if keep[k]:
                coarse[k].next = wide[MID:].signed()
            else:
                coarse[k].next = 0

    @always(clk.posedge)
    def shift_fine():
        shifted = intbv(0, min=-(1 << (MID - 1)), max=1 << (MID - 1))
        rounded = intbv(0, min=-LIMIT, max=LIMIT)
        for k in range(LANES):
            shifted[:] = coarse[k]
            shifted[:] = shifted >> fine
            rounded[:] = shifted[BITS + 1:].signed()
            rounded[:] = rounded + 1
            rounded[:] = rounded >> 1
            # rounding up is all that can leave the range
            if rounded[BITS - 1] and not rounded[SIGN]:
                mantissas[k].next = HIGHEST
            elif narrow1 and rounded[NARROW - 1] and not rounded[SIGN]:
                mantissas[k].next = NARROW_HIGHEST
            else:
                mantissas[k].next = rounded[BITS:].signed()

    return split, packing, shift_coarse, shift_fine
