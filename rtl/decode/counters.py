"""What the hardware counts for its host: cycles, weight beats, attention cycles, saturations."""

from myhdl import always, intbv

from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import uint

COUNTER_BITS = 48  # a month at 100 MHz


@hblock
def counters(clk, rst, enable, mac_beat, attention_busy, saturated, cycles, mac_beats, attention_cycles, saturations):
    """All counters start at zero after reset and count while `enable` is high (a model is loaded); they wrap.

    mac_beat, attention_busy: in, one bit a cycle; saturated: in, one bit a source of saturations.
    """
    SOURCES = len(saturated)
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
            cycles.next = 0
            mac_beats.next = 0
            attention_cycles.next = 0
            saturations.next = 0
        elif enable:
            cycles.next = cycles + 1
            saturations.next = saturations + clipped
            if mac_beat:
                mac_beats.next = mac_beats + 1
            if attention_busy:
                attention_cycles.next = attention_cycles + 1

    return add_up, count
