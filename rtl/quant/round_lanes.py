"""A row of rounding shifters: elements of F to mantissas."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import F_BITS

LATENCY = 2  # cycles from x to y

FINE_BITS = 1  # of the exponent, done in the second of two stages


@hblock
def round_lanes(clk, move, there, x, keep, exponent, y, BITS):
    """y[k] = golden.fixed.arith: round_shift(x[k], exponent), clipped to BITS; 0 if not keep[k].

    Ports: clk; move: both stages advance, else they hold; there: x is a row: what comes without it leaves y as it was,
    LATENCY cycles of `move` later; x: lanes of F; keep: a bit a lane; exponent unsigned, large
    enough that every mantissa fits before rounding; y: lanes of signed BITS. One row a cycle, LATENCY cycles of `move`.
    No multiplier.

        x, 0 ─> >> exponent, all but its lowest bits ─> >> those ─> (+1) >> 1 ─> clip ─> y
    """
    LANES = len(keep)
    F = len(x) // LANES
    E_BITS = len(exponent)
    MID = BITS + (1 << FINE_BITS)  # a mantissa, a rounding bit, and what the fine shift may still drop
    WIDE = 1 << F
    SIGN = BITS
    HIGHEST = (1 << (BITS - 1)) - 1
    LIMIT = 1 << (BITS + 1)

    elements = [sint(F) for _ in range(LANES)]
    shifted = [sint(MID) for _ in range(LANES)]
    mantissas = [sint(BITS) for _ in range(LANES)]
    rest = uint(FINE_BITS)
    there1 = bit()

    split = unpack(x, elements)
    packing = pack(mantissas, y)

    @always(clk.posedge)
    def shift_coarse():
        wide = intbv(0, min=-WIDE, max=WIDE)
        amount = intbv(0)[E_BITS:]
        amount[:] = exponent[E_BITS:FINE_BITS]
        amount[:] = amount << FINE_BITS
        if move:
            there1.next = there
        if move and there:
            rest.next = exponent[FINE_BITS:]
            for k in range(LANES):
                wide[:] = elements[k]
                wide[:] = wide << 1  # one fraction bit more, for rounding
                wide[:] = wide >> amount
                if keep[k]:
                    shifted[k].next = wide[MID:].signed()
                else:
                    shifted[k].next = 0

    @always(clk.posedge)
    def shift_fine():
        value = intbv(0, min=-(1 << (MID - 1)), max=1 << (MID - 1))
        rounded = intbv(0, min=-LIMIT, max=LIMIT)
        if move and there1:
            for k in range(LANES):
                value[:] = shifted[k]
                value[:] = value >> rest
                rounded[:] = value[BITS + 1:].signed()
                rounded[:] = rounded + 1
                rounded[:] = rounded >> 1
                # rounding up is all that can leave the range
                if rounded[BITS - 1] and not rounded[SIGN]:
                    mantissas[k].next = HIGHEST
                else:
                    mantissas[k].next = rounded[BITS:].signed()

    return split, packing, shift_coarse, shift_fine


def ports(LANES: int, BITS: int) -> dict:
    """Fresh ports and parameters for LANES lanes."""
    row = dict(x=uint(LANES * F_BITS), keep=uint(LANES), exponent=uint(EXPONENT_BITS))
    return dict(clk=bit(), move=bit(), there=bit(), **row, y=uint(LANES * BITS), BITS=BITS)
