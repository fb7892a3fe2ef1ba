"""A place of the list of the most likely tokens."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Payload, bit, sint, uint
from llama2_myhdl.spec.sampling import COST_BITS


class Standing(Payload):
    """A place as the next one sees it: u sint(COST_BITS) and token are held if `taken`; new_u and new_token arrive if
    `arrives`, and `enters` says that they take the place."""

    def __init__(self, token_bits):
        held = dict(u=sint(COST_BITS), token=uint(token_bits), taken=bit())
        super().__init__(**held, new_u=sint(COST_BITS), new_token=uint(token_bits), arrives=bit(), enters=bit())


@hblock
def place(clk, clear, before, m, turn, next_turn, shown):
    """Holds the cheaper one of what it holds and what arrives; the other one arrives at the next place a cycle later.

    Ports: clk; clear: it is empty, and what arrives is lost; before: Standing of the place before, m: of this one,
    registers. turn: `shown` is what is held behind this cycle, token above cost, else 0; next_turn: `turn` a cycle ago,
    unless cleared. Of equal costs the one ahead stays ahead.

    What the place before has held is as cheap as all that stands behind it: it enters without a look. What is new there
    is compared a cycle ahead, with what will be held when it arrives.
    """
    leaves = bit()  # something arrives here in the next cycle
    u, token = sint(COST_BITS), uint(len(m.token))  # what is held behind this cycle

    @always_comb
    def settle():
        leaves.next = before.arrives and (before.taken or not before.enters)
        if m.enters:
            u.next = m.new_u
            token.next = m.new_token
        else:
            u.next = m.u
            token.next = m.token

    @always(clk.posedge)
    def hold():
        m.u.next = u
        m.token.next = token
        m.taken.next = (m.taken or m.arrives) and not clear

    @always(clk.posedge)
    def meet():
        m.arrives.next = leaves and not clear
        m.enters.next = leaves and not clear and (
            before.enters or before.new_u < u or not (m.taken or m.arrives))
        if leaves:
            if before.enters:
                m.new_u.next = before.u
                m.new_token.next = before.token
            else:
                m.new_u.next = before.new_u
                m.new_token.next = before.new_token

    @always(clk.posedge)
    def follow():
        next_turn.next = turn and not clear

    @always_comb
    def show():
        shown.next = 0
        if turn:
            shown.next = concat(token, u[COST_BITS:])

    return settle, hold, meet, follow, show


def ports(token_bits: int) -> dict:
    """Fresh ports for tokens of so many bits."""
    pins = {name: bit() for name in ("clk", "clear", "turn", "next_turn")}
    standing = dict(before=Standing(token_bits), m=Standing(token_bits))
    return dict(**pins, **standing, shown=uint(COST_BITS + token_bits))
