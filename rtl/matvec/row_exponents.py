"""The row exponents of one group of rows."""

from myhdl import always

from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import unpack
from rtl.stream.stream import sint, uint

LATENCY = 1  # cycles from `lane` to `exponent`


@hblock
def row_exponents(clk, load, beat, lane, exponent, LANES):
    """Keeps a beat of exponents and gives the one of row `lane`.

    Ports: clk; load bool: keep `beat` (unsigned bus of LANES signed exponents, row 0 low) from the next cycle on;
    lane unsigned; exponent signed: that of `lane`, LATENCY cycles later. No reset: data only.
    """
    held = uint(len(beat))
    exponents = [sint(len(exponent)) for _ in range(LANES)]
    unpacking = unpack(held, exponents)

    @always(clk.posedge)
    def keep():
        if load:
            held.next = beat

    @always(clk.posedge)
    def select():
        exponent.next = exponents[lane]

    return unpacking, keep, select
