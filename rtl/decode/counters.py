"""What the hardware counts for its host: cycles, and for each engine what `spec/counters.py` names."""

from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.causes import CAUSE_BITS, CAUSES
from llama2_myhdl.spec.counters import COUNTER_BITS, COUNTERS, SELECT_BITS


@hblock
def cycle_counter(clk, rst, enable, cycles):
    """cycles: out, uint(COUNTER_BITS), cycles with `enable` high (a model is loaded) since reset; it wraps."""

    @always(clk.posedge)
    def count():
        if rst:
            cycles.next = 0
        elif enable:
            cycles.next = cycles + 1

    return count


@hblock
def engine_counters(clk, rst, enable, cause, token, attention_busy, saturated, overflow, select, value):
    """The counters of one engine: zero after reset, counting while `enable` is high; they wrap.

    cause: in, code of `spec/causes.py`, one is counted every cycle. token: in, a strobe, a token has left.
    attention_busy: in, one bit a cycle. saturated: in, one bit a source of saturations, all are counted, a cycle late.
    overflow: in, a strobe, the list of a draw was too short.
    select: in, uint(SELECT_BITS), index into COUNTERS; value: out, uint(COUNTER_BITS), that counter a cycle later, 0
    beyond the last.
    """
    SOURCES = len(saturated)
    COUNT, CAUSE_COUNT = len(COUNTERS), len(CAUSES)
    TOKENS, BUSY = COUNTERS.index("tokens"), COUNTERS.index("attention_busy")
    SATURATIONS, OVERFLOWS = COUNTERS.index("saturations"), COUNTERS.index("list_overflows")
    counts = [uint(COUNTER_BITS) for _ in range(COUNT)]
    clipped = uint(SOURCES.bit_length())

    @always(clk.posedge)
    def add_up():
        n = intbv(0)[len(clipped) :]
        n[:] = 0
        for k in range(SOURCES):
            if saturated[k]:
                n[:] = n + 1
        clipped.next = n

    @always(clk.posedge)
    def count():
        if rst:
            for k in range(COUNT):
                counts[k].next = 0
        elif enable:
            for k in range(CAUSE_COUNT):
                if cause == k:
                    counts[k].next = counts[k] + 1
            if token:
                counts[TOKENS].next = counts[TOKENS] + 1
            if attention_busy:
                counts[BUSY].next = counts[BUSY] + 1
            counts[SATURATIONS].next = counts[SATURATIONS] + clipped
            if overflow:
                counts[OVERFLOWS].next = counts[OVERFLOWS] + 1

    @always(clk.posedge)
    def read():
        chosen = intbv(0)[COUNTER_BITS:]
        chosen[:] = 0
        for k in range(COUNT):
            if select == k:
                chosen[:] = counts[k]
        value.next = chosen

    return add_up, count, read


def ports(SOURCES: int) -> dict:
    """Fresh ports of `engine_counters` for so many sources of saturations."""
    strobes = {name: bit() for name in ("clk", "rst", "enable", "token", "attention_busy", "overflow")}
    counted = dict(cause=uint(CAUSE_BITS), saturated=uint(SOURCES))
    return dict(**strobes, **counted, select=uint(SELECT_BITS), value=uint(COUNTER_BITS))
