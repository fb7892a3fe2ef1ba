"""The cheapest costs that have passed, in their order: a row of places."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.hdl.lanes import either
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.sampling.place import Entry, Standing, place
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.sampling import COST_BITS

LATENCY = 1  # cycles from the last cost to the first `show`
READ_LATENCY = 2  # cycles from `show` to the first entry
GROUP = 8  # places with a register of their own between them and the others: they fill much of a device


@hblock
def shortlist(clk, clear, take, u, token, show, entry_u, entry_token, ENTRIES):
    """Keeps the ENTRIES (2 or more) smallest costs, of equal ones the first, and shows them in order.

    Ports: clk; clear: empties the list and ends its show; take: u sint(COST_BITS) and token are an entry, one a cycle,
    none while a show runs. show: a pulse, LATENCY cycles after the last cost or later: entry_u, entry_token are those
    of entry 0 READ_LATENCY cycles later, then one entry a cycle; what is shown of a place without an entry is
    undefined.

        u ──┬─────────┬─────────┬─ ...        each place compares, and the dearer ones move back by one
        place 0 ─> place 1 ─> place 2 ─> ... ─> dropped
        show ──┴──────────┴────── ... ─> of each GROUP, of all of them ─> entry_u, entry_token
    """
    TOKEN_BITS = len(token)
    WIDTH = COST_BITS + TOKEN_BITS
    if ENTRIES < 2:
        raise ValueError(f"shortlist: ENTRIES must be 2 or more, is {ENTRIES}")
    new, enters, newer = Entry(TOKEN_BITS), bit(), bit()
    standing = [Standing(TOKEN_BITS) for _ in range(ENTRIES + 1)]  # before the first one nothing stands
    turns = [bit() for _ in range(ENTRIES + 1)]
    shown = [uint(WIDTH) for _ in range(ENTRIES)]
    groups = [shown[k:k + GROUP] for k in range(0, ENTRIES, GROUP)]
    ored, registers = [[uint(WIDTH) for _ in groups] for _ in range(2)]
    chosen = uint(WIDTH)
    first_turn = turns[0]
    nothing = standing[0]
    nothing.u, nothing.token = tied(sint(COST_BITS)), tied(uint(TOKEN_BITS))
    nothing.taken, nothing.cheaper, nothing.gives = [tied(bit()) for _ in range(3)]
    unused(turns[ENTRIES], *standing[ENTRIES].fields())

    places = [place(clk=clk, clear=clear, u=u, enters=enters, new=new, newer=newer, before=standing[k],
                    m=standing[k + 1], turn=turns[k], next_turn=turns[k + 1], shown=shown[k], FIRST=k == 0)
              for k in range(ENTRIES)]
    joining = [either(group, one) for group, one in zip(groups, ored)]
    holding = [delay(clk, one, register, CYCLES=1) for one, register in zip(ored, registers)]
    joining_all = either(registers, chosen)

    @always_comb
    def begin():
        first_turn.next = show

    @always(clk.posedge)
    def enter():
        enters.next = take and not clear
        newer.next = u < new.u
        if take:
            new.u.next = u
            new.token.next = token

    @always(clk.posedge)
    def register():
        entry_u.next = chosen[COST_BITS:].signed()
        entry_token.next = chosen[WIDTH:COST_BITS]

    return places, joining, holding, joining_all, begin, enter, register


def ports(token_bits: int, ENTRIES: int) -> dict:
    """Fresh ports and parameters for tokens of so many bits."""
    pins = {name: bit() for name in ("clk", "clear", "take", "show")}
    costs = dict(u=sint(COST_BITS), entry_u=sint(COST_BITS))
    tokens = dict(token=uint(token_bits), entry_token=uint(token_bits))
    return dict(**pins, **costs, **tokens, ENTRIES=ENTRIES)
