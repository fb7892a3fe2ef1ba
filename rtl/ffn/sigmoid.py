"""The logistic function in base 2: golden.fixed.swiglu.sigmoid2."""
from myhdl import always, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith import exp2 as power
from llama2_myhdl.rtl.arith import reciprocal as inverse
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.arith.exp2 import exp2
from llama2_myhdl.rtl.arith.reciprocal import reciprocal
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS, UNIT

BETWEEN = power.LATENCY + 1 + inverse.LATENCY  # cycles from |u| to 1/d
LATENCY = 1 + BETWEEN + 1  # cycles from u to y


@hblock
def sigmoid(clk, u, y):
    """y = 1 / (1 + 2**-u), computed on |u| and mirrored for negative u. A pure pipeline, one value a cycle.

    Ports: clk; u signed F; y uint(EXP2_FRAC + 1), 0.16 (0 .. 65536).
    Latency LATENCY cycles. Three multipliers: one in exp2, two in reciprocal.

        u ─> |u| ─> exp2 ─> d = 1 + 2**-|u|, below 2 ─> reciprocal ─> y or 1 - y
        sign ───────────────────────────────────────────────────────────┘
    """
    F = len(u)
    LIMIT = 1 << F
    LARGEST = 2 * UNIT - 1

    magnitude = uint(F)
    negative, mirror = uint(1), uint(1)
    power_of_two, d, inverted = [uint(EXP2_FRAC + 1) for _ in range(3)]

    exp2_ = exp2(clk, magnitude, power_of_two)
    reciprocal_ = reciprocal(clk, d, inverted)
    delay_ = delay(clk, negative, mirror, CYCLES=BETWEEN)

    @always(clk.posedge)
    def absolute():
        wide = intbv(0, min=-LIMIT, max=LIMIT)
        wide[:] = u
        if u[F - 1]:
            wide[:] = -wide
        magnitude.next = wide[F:]
        negative.next = u[F:F - 1]

    @always(clk.posedge)
    def denominator():
        if power_of_two[EXP2_FRAC]:
            d.next = LARGEST
        else:
            d.next = concat(True, power_of_two[EXP2_FRAC:])

    @always(clk.posedge)
    def choose():
        if mirror == 1:
            y.next = UNIT - inverted
        else:
            y.next = inverted

    return exp2_, reciprocal_, delay_, absolute, denominator, choose


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), u=sint(F_BITS), y=uint(EXP2_FRAC + 1))
