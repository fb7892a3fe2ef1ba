"""A place of the list of the most likely tokens."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Payload, bit, sint, uint
from llama2_myhdl.spec.sampling import COST_BITS


class Entry(Payload):
    """What a place can hold: u sint(COST_BITS), a cost, and its token."""

    def __init__(self, token_bits):
        super().__init__(u=sint(COST_BITS), token=uint(token_bits))


class Standing(Payload):
    """A place as the next one sees it: u and token are held if `taken`; `cheaper`: the newest cost, a cycle ago, was so
    than what was held; `gives`: it is cheaper than what is held now."""

    def __init__(self, token_bits):
        super().__init__(u=sint(COST_BITS), token=uint(token_bits), taken=bit(), cheaper=bit(), gives=bit())


@hblock
def place(clk, clear, u, enters, new, newer, before, m, turn, next_turn, shown, FIRST):
    """Moves back by one place when a cheaper entry comes in: what the place before held, or the new one, is held then.

    Ports: clk; clear: it is empty. u sint(COST_BITS): a cost, and a cycle later new, the Entry with it, enters: it
    comes in, and newer: it is cheaper than the one that came in a cycle ahead of it. before: Standing of the place
    before, m: of this one. turn: `shown` is what is held, token above cost, else 0; of the FIRST one what it holds
    behind this cycle. next_turn: `turn` a cycle ago, unless cleared. Of equal costs the one ahead stays ahead.

    A cost meets what is held in one cycle and moves it in the next one, while the cost behind it meets what was held
    before: that comparison holds for where it has moved.
    """
    came, moved = bit(), bit()  # in the last cycle: the new entry, what the place before held

    @always(clk.posedge)
    def compare():
        m.cheaper.next = not m.taken or u < m.u

    @always_comb
    def decide():
        if came:
            m.gives.next = newer
        elif moved:
            m.gives.next = before.cheaper
        else:
            m.gives.next = m.cheaper

    @always(clk.posedge)
    def hold():
        came.next = enters and m.gives and not before.gives and not clear
        moved.next = enters and m.gives and before.gives and not clear
        if clear:
            m.taken.next = False
        elif enters and m.gives:
            m.taken.next = before.taken or not before.gives
        if enters and m.gives:
            if before.gives:
                m.u.next = before.u
                m.token.next = before.token
            else:
                m.u.next = new.u
                m.token.next = new.token

    @always(clk.posedge)
    def follow():
        next_turn.next = turn and not clear

    if FIRST:

        @always_comb
        def show():
            shown.next = 0
            if turn:
                if enters and m.gives:
                    shown.next = concat(new.token, new.u[COST_BITS:])
                else:
                    shown.next = concat(m.token, m.u[COST_BITS:])

    else:

        @always_comb
        def show():
            shown.next = 0
            if turn:
                shown.next = concat(m.token, m.u[COST_BITS:])

    return compare, decide, hold, follow, show


def ports(token_bits: int, FIRST: bool) -> dict:
    """Fresh ports and parameters for tokens of so many bits."""
    pins = {name: bit() for name in ("clk", "clear", "enters", "newer", "turn", "next_turn")}
    places = dict(new=Entry(token_bits), before=Standing(token_bits), m=Standing(token_bits))
    return dict(**pins, u=sint(COST_BITS), **places, shown=uint(COST_BITS + token_bits), FIRST=FIRST)
