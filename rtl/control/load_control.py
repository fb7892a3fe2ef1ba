"""When the decoder is loaded, and how it is reset while others go on."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2

CLEAR, IDLE, ACTIVE, STOP = range(4)
STATE_BITS = 2
HOLD = 4  # cycles of a reset


@hblock
def load_control(clk, rst, start, again, quiet, idle, active, stop, resetting, restart):
    """start: in, a pulse, heard while idle; again: in, a pulse, heard in any state: a soft reset.

    idle: out, nothing is loaded; active: out, from start to a reset; stop: out, no burst may begin, until all that can
    make one have been reset; quiet: in, none is under way then; resetting: out, from `again` to idle; restart: out, a
    register, resets the decoder and all that belongs to it.
    """
    LAST = HOLD - 1
    state = uint(STATE_BITS)
    left = uint(clog2(HOLD))

    @always_comb
    def show():
        idle.next = state == IDLE
        active.next = state == ACTIVE or state == STOP
        stop.next = state == STOP or state == CLEAR
        resetting.next = state == STOP or state == CLEAR

    @always(clk.posedge)
    def control():
        restart.next = rst or state == CLEAR
        if rst:
            state.next = CLEAR
            left.next = LAST
        elif state == CLEAR:
            left.next = left - 1
            if left == 0:
                left.next = LAST
                state.next = IDLE
        elif state == STOP:
            if quiet:
                state.next = CLEAR
        elif again:
            state.next = STOP
        elif start and state == IDLE:
            state.next = ACTIVE

    return show, control


def ports():
    """Fresh ports, by name."""
    names = ("clk", "rst", "start", "again", "quiet", "idle", "active", "stop", "resetting", "restart")
    return {name: bit() for name in names}
