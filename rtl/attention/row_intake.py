"""Sorts the key and query rows of a token: key rows to the caches, query rows to the units' queues."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.attention.head_place import head_place
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec import kinds

LATENCY = 1  # cycles from a row to its strobe


@hblock
def row_intake(clk, rst, s, layer, seq, kv_mul, n_kv_heads, row, exponent, base, key_we, push, lane, lanes, ends, last,
               CFG):
    """Counts heads and gives each row its place; takes a row a cycle, as a token has no more than the queues hold.

    Ports: clk, rst; s, layer, seq, kv_mul, n_kv_heads as in `attention`. A cycle later: row, exponent; base: see
    `head_place`; key_we, push uint(attention_units): one strobe a unit. Beside push: lane uint(attention_queries):
    which query of its pass it is, one-hot; lanes: those of the pass so far; ends: it is the last row of its pass; last:
    and of its kv head.
    """
    LAST_LANE = CFG.attention_queries - 1

    group = uint(len(kv_mul))  # query head within its kv head
    unit = uint(CFG.attention_units)
    turn, filled = uint(CFG.attention_queries), uint(CFG.attention_queries)
    accepted, last_query, next_head = bit(), bit(), bit()
    unused(s.last)

    head_place_ = head_place(clk=clk, rst=rst, step=next_head, layer=layer, seq=seq, n_kv_heads=n_kv_heads, unit=unit,
                             base=base, CFG=CFG)

    @always_comb
    def handshake():
        accepted.next = s.valid and s.ready
        last_query.next = group == kv_mul - 1
        next_head.next = s.valid and s.ready and (s.tag != kinds.QUERY or group == kv_mul - 1)

    @always(clk.posedge)
    def count_queries():
        s.ready.next = not rst
        if rst:
            group.next = 0
            turn.next = 1
            filled.next = 1
        elif accepted and s.tag == kinds.QUERY:
            if last_query:
                group.next = 0
            else:
                group.next = group + 1
            if last_query or turn[LAST_LANE]:
                turn.next = 1
                filled.next = 1
            else:
                turn.next = turn << 1
                filled.next = (filled << 1) + 1

    @always(clk.posedge)
    def strobes():
        key_we.next = 0
        push.next = 0
        if accepted and not rst:
            if s.tag == kinds.QUERY:
                push.next = unit
            else:
                key_we.next = unit
        ends.next = last_query or turn[LAST_LANE]
        last.next = last_query

    @always(clk.posedge)
    def data():
        row.next = s.data
        exponent.next = s.exponent
        lane.next = turn
        lanes.next = filled

    return head_place_, handshake, count_queries, strobes, data
