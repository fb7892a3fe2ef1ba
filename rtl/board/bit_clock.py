"""The time of a bit on a serial line, exact on average for any clock and any rate."""

from math import gcd

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint

LEAST = 4  # cycles of a bit that a receiver needs to find its middle


def ratio(clock_hz: int, baud: int) -> tuple[int, int]:
    """CLOCKS and BITS: so many cycles for so many bits, in lowest terms; ValueError when a bit is too short."""
    common = gcd(clock_hz, baud)
    clocks, bits = clock_hz // common, baud // common
    if clocks < LEAST * bits:
        raise ValueError(f"baud: must be at most 1/{LEAST} of the clock of {clock_hz} Hz, is {baud}")
    return clocks, bits


@hblock
def bit_clock(clk, restart, tick, CLOCKS, BITS, START=0):
    """Ticks BITS times in CLOCKS cycles, no tick more than a cycle late.

    restart: in, the cycle ahead of a bit's first one; tick: out, high in the last cycle of each bit. START: how far, in
    CLOCKS-ths, the first bit is already by then: CLOCKS // 2 puts the ticks into the middle of bits.

    An accumulator that counts BITS up to CLOCKS: where CLOCKS / BITS is whole it is a plain counter.
    """
    LIMIT = CLOCKS - BITS
    if not 0 <= START <= LIMIT:
        raise ValueError(f"bit_clock: START is 0 to {LIMIT}, not {START}")
    phase = uint((CLOCKS - 1).bit_length())

    @always_comb
    def show():
        tick.next = phase >= LIMIT

    @always(clk.posedge)
    def count():
        if restart:
            phase.next = START
        elif phase >= LIMIT:
            phase.next = phase - LIMIT
        else:
            phase.next = phase + BITS

    return show, count


def ports(clocks, bits, start=0):
    """Fresh ports and parameters, by name."""
    return dict(clk=bit(), restart=bit(), tick=bit(), CLOCKS=clocks, BITS=bits, START=start)
