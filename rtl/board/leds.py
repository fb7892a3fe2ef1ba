"""Eight lights that say at a glance how the board is."""

from myhdl import Signal, always, always_comb, concat, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint

LIGHTS = ("alive", "loading", "loaded", "token", "received", "sent", "damaged", "failed")  # from light 0 on
HOLD_BITS = 22  # 2**22 cycles: a twentieth of a second at 80 MHz


@hblock
def leds(clk, rst, loading, loaded, token, received, sent, damaged, failed, led, HOLD=HOLD_BITS):
    """led: out, a bit a light, in the order of LIGHTS.

    alive blinks, 2**(HOLD + 2) cycles on and as many off. loading, loaded, failed: in, shown as they are. token,
    received, sent: in, pulses; each is seen for 2**HOLD cycles at least. damaged: in, pulse; it stays until reset.
    """
    TOP = HOLD + 2
    count = Signal(modbv(0)[TOP + 1 :])
    seen, shown = uint(3), uint(3)
    pulses = uint(3)
    turn, ever = bit(), bit()

    @always_comb
    def gather():
        pulses.next = concat(sent, received, token)
        turn.next = count[HOLD:] == 0
        led.next = concat(failed, ever, shown, loaded, loading, count[TOP])

    @always(clk.posedge)
    def hold():
        if rst:
            count.next = 0
            seen.next = 0
            shown.next = 0
            ever.next = False
        else:
            count.next = count + 1
            if turn:
                shown.next = seen | pulses
                seen.next = pulses
            else:
                shown.next = shown | pulses
                seen.next = seen | pulses
            if damaged:
                ever.next = True

    return gather, hold


def ports(hold=HOLD_BITS):
    """Fresh ports and parameters, by name."""
    inputs = {name: bit() for name in LIGHTS[1:]}
    return dict(clk=bit(), rst=bit(), **inputs, led=uint(len(LIGHTS)), HOLD=hold)
