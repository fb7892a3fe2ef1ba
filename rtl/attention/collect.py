"""Puts the units' heads back into the order of the query heads."""
from myhdl import always, always_comb, intbv

from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import unpack
from rtl.layer import kinds
from rtl.stream.stream import bit, sint, uint


@hblock
def collect(clk, rst, data, last, valid, ready, kv_mul, n_kv_heads, m, head_done, UNITS):
    """One stream of n_heads heads out of UNITS streams: query head i comes from unit (i // kv_mul) % UNITS.

    Ports: clk, rst; data, last, valid, ready: the units' streams side by side, unit 0 in the low bits; kv_mul,
    n_kv_heads; m: Stream(data=F, tag, last): last on the last element of the token; head_done: strobe, a cycle
    after the last element of a head. Combinational from the units' registers to m.
    """
    LAST_UNIT = UNITS - 1
    datas = [sint(len(data) // UNITS) for _ in range(UNITS)]
    head, group = uint(len(n_kv_heads)), uint(len(kv_mul))  # kv head; query head within it
    turn = uint(clog2(UNITS))
    last_group, last_head, ends = bit(), bit(), bit()

    @always_comb
    def choose_data():
        m.data.next = datas[turn]

    @always_comb
    def only_data():
        m.data.next = data.signed()

    # Icarus 11 does not run an array of one net
    select = only_data if UNITS == 1 else (unpack(data, datas), choose_data)

    @always_comb
    def choose():
        m.tag.next = kinds.QUERY
        m.valid.next = valid[turn]
        m.last.next = last[turn] and last_group and last_head

    @always_comb
    def grant():
        chosen = intbv(0)[UNITS:]
        chosen[:] = 0
        chosen[turn] = m.ready
        ready.next = chosen

    @always_comb
    def place():
        last_group.next = group == kv_mul - 1
        last_head.next = head == n_kv_heads - 1
        ends.next = valid[turn] and m.ready and last[turn]

    @always(clk.posedge)
    def count():
        head_done.next = ends
        if rst:
            head.next = 0
            group.next = 0
            turn.next = 0
        elif ends:
            if not last_group:
                group.next = group + 1
            else:
                group.next = 0
                if last_head:
                    head.next = 0
                    turn.next = 0
                else:
                    head.next = head + 1
                    if turn == LAST_UNIT:
                        turn.next = 0
                    else:
                        turn.next = turn + 1

    return select, choose, grant, place, count
