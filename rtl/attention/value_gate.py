"""When the numerator may take its next step."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def value_gate(clk, rst, waiting, last, ends, arrives, head_dim, permit, step, jump, INTERVAL, HEADS, AHEAD):
    """The step t = pos of a pass waits for the token's value row; heads leave with the distance that the divider needs.

    Ports: clk, rst; waiting: there is a score; last: its t = pos; ends: its pass is the last one of a kv head; arrives:
    strobe, the next kv head's value row is being written; permit: a score may go, if there is one; step: it goes, its
    value row is read in this cycle; jump: it goes, with the row that arrives (never beside `step`).
    Two last steps are max(head_dim / 2, INTERVAL) cycles apart. A row that nothing else holds up jumps at once, AHEAD
    cycles (2 or more) before one that is read would be there.
    """
    PAUSE_BITS = max(len(head_dim), INTERVAL.bit_length())
    AHEAD_BITS = (HEADS + 1).bit_length()
    ahead = uint(AHEAD_BITS)  # value rows that were written before the kv head's last pass was done
    pause, interval = uint(PAUSE_BITS), uint(PAUSE_BITS)
    here, rested = bit(), bit()  # registers: `ahead` is not 0, `pause` is
    armed, regular, leaves = bit(), bit(), bit()
    quiet = uint((AHEAD - 1).bit_length())  # cycles in which nothing but its value row held up the score, at most QUIET
    QUIET = AHEAD - 1

    @always_comb
    def decide():
        regular.next = not last or (here and rested)
        jump.next = armed and arrives

    @always_comb
    def tell():
        step.next = waiting and regular
        permit.next = regular or jump
        leaves.next = waiting and last and (regular or jump)

    @always(clk.posedge)
    def arm():
        # what jumps must not overtake the step before it
        if rst or not waiting or not last or permit or not rested:
            quiet.next = 0
        elif quiet != QUIET:
            quiet.next = quiet + 1
        armed.next = quiet == QUIET and not here and not arrives and not rst

    @always(clk.posedge)
    def count_rows():
        if rst:
            ahead.next = 0
            here.next = False
        elif arrives and not (leaves and ends):
            ahead.next = ahead + 1
            here.next = True
        elif leaves and ends and not arrives:
            ahead.next = ahead - 1
            here.next = ahead != 1

    @always(clk.posedge)
    def keep_distance():
        if head_dim > 2 * INTERVAL:
            interval.next = head_dim >> 1
        else:
            interval.next = INTERVAL
        if rst:
            pause.next = 0
            rested.next = True
        elif leaves:
            pause.next = interval - 1
            rested.next = interval == 1
        elif not rested:
            pause.next = pause - 1
            rested.next = pause == 1

    return decide, tell, arm, count_rows, keep_distance
