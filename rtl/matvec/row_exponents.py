"""The row exponents of one group of rows."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2

LATENCY = 2  # cycles from `lane` to `exponent`


@hblock
def row_exponents(clk, load, beat, lane, exponent, LANES):
    """Keeps a beat of exponents and gives the one of row `lane`.

    Ports: clk; load bool: keep `beat` (unsigned bus of LANES signed exponents, row 0 low) from the next cycle on;
    lane unsigned, log2(LANES) bits; exponent signed: that of `lane`, LATENCY cycles later. A lane is looked up in what
    is kept in its own cycle, whatever is loaded after it. No reset: data only.

        beat ─> held ─> a part of it (upper bits of lane) ─> one of the part (lower bits) ─> exponent
    """
    LANE_BITS = len(lane)
    LOW_BITS = LANE_BITS // 2
    PARTS = LANES >> LOW_BITS
    held = uint(len(beat))
    parts = [uint(len(beat) // PARTS) for _ in range(PARTS)]
    part = uint(len(beat) // PARTS)
    low = uint(LOW_BITS)
    exponents = [sint(len(exponent)) for _ in range(1 << LOW_BITS)]
    unpack_parts = unpack(held, parts)
    unpack_exponents = unpack(part, exponents)

    @always(clk.posedge)
    def keep():
        if load:
            held.next = beat

    @always(clk.posedge)
    def select():
        part.next = parts[lane[LANE_BITS:LOW_BITS]]
        low.next = lane[LOW_BITS:]
        exponent.next = exponents[low]

    return unpack_parts, unpack_exponents, keep, select


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `row_exponents(**ports(cfg))`."""
    inputs = dict(load=bit(), beat=uint(cfg.beat_bits), lane=uint(clog2(cfg.lanes)))
    return dict(clk=bit(), **inputs, exponent=sint(cfg.exp_bits), LANES=cfg.lanes)
