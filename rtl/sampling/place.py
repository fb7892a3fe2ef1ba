"""A place of the list of the most likely tokens."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Payload, bit, sint, uint
from llama2_myhdl.spec.sampling import COST_BITS


class Entrant(Payload):
    """What moves from place to place: u sint(COST_BITS); token; ousted: it has held a place before."""

    def __init__(self, token_bits):
        super().__init__(u=sint(COST_BITS), token=uint(token_bits), ousted=bit())


@hblock
def place(clk, clear, arrives, s, leaves, m, turn, next_turn, shown):
    """Holds the cheaper one of what it holds and what arrives, and hands the other one on, a cycle later.

    Ports: clk; clear: it is empty, and what arrives is lost; arrives, s: an Entrant; leaves, m: likewise, registers.
    turn: `shown` is what is held, token above cost, in this cycle, else 0; next_turn: `turn` a cycle ago, unless
    cleared. Of equal costs the one ahead stays ahead: what was ousted stood before what is held here, what is new comes
    behind it.
    """
    TOKEN_BITS = len(s.token)
    u, token = sint(COST_BITS), uint(TOKEN_BITS)
    taken, better = bit(), bit()

    @always_comb
    def compare():
        mine = intbv(0, min=-(1 << COST_BITS), max=1 << COST_BITS)
        its = intbv(0, min=-(1 << COST_BITS), max=1 << COST_BITS)
        # one bit below the costs decides between equal ones
        mine[:] = concat(u[COST_BITS:], True).signed()
        its[:] = concat(s.u[COST_BITS:], not s.ousted).signed()
        better.next = not taken or its < mine

    @always(clk.posedge)
    def hold():
        if clear:
            taken.next = False
        elif arrives and better:
            taken.next = True
            u.next = s.u
            token.next = s.token

    @always(clk.posedge)
    def hand_on():
        leaves.next = arrives and (taken or not better) and not clear
        if arrives:
            m.ousted.next = better or s.ousted
            if better:
                m.u.next = u
                m.token.next = token
            else:
                m.u.next = s.u
                m.token.next = s.token

    @always(clk.posedge)
    def follow():
        next_turn.next = turn and not clear

    @always_comb
    def show():
        shown.next = 0
        if turn:
            shown.next = concat(token, u[COST_BITS:])

    return compare, hold, hand_on, follow, show


def ports(token_bits: int) -> dict:
    """Fresh ports for tokens of so many bits."""
    pins = {name: bit() for name in ("clk", "clear", "arrives", "leaves", "turn", "next_turn")}
    return dict(**pins, s=Entrant(token_bits), m=Entrant(token_bits), shown=uint(COST_BITS + token_bits))
