"""Puts the pipelines' heads back into the order of the query heads."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import F_BITS


@hblock
def collect(clk, rst, s, kv_mul, n_kv_heads, m, UNITS, QUERIES):
    """One stream of all query heads out of UNITS * QUERIES pipelines.

    Query head i belongs to key/value head i // kv_mul, that one to unit (i // kv_mul) % UNITS, where the head runs in
    lane (i % kv_mul) % QUERIES; lane g of unit u is pipeline u * QUERIES + g.
    Ports: clk, rst; s: Series of `packet.pairs`, one a pipeline; kv_mul, n_kv_heads; m: `packet.pairs`: last on the
    last pair of the token.
    Combinational from the pipelines' registers to m: no latency, a pair a cycle.
    """
    PIPELINES = UNITS * QUERIES
    LAST_LANE, LAST_BASE = QUERIES - 1, PIPELINES - QUERIES
    data, second = uint(PIPELINES * F_BITS), uint(PIPELINES * F_BITS)
    last, valid, ready = [uint(PIPELINES) for _ in range(3)]
    datas, seconds = [[sint(F_BITS) for _ in range(PIPELINES)] for _ in range(2)]
    head, group = uint(len(n_kv_heads)), uint(len(kv_mul))  # kv head; query head within it
    lane = uint(clog2(QUERIES))  # of the unit
    base, turn = uint(clog2(PIPELINES)), uint(clog2(PIPELINES))  # pipeline of the unit's lane 0, of the lane
    last_group, last_head, ends = bit(), bit(), bit()

    @always_comb
    def choose_data():
        m.data.next = datas[turn]
        m.second.next = seconds[turn]

    @always_comb
    def only_data():
        m.data.next = data.signed()
        m.second.next = second.signed()

    # a process can index a bus, and a list of its own
    joining = (pack([x.data for x in s], data), pack([x.second for x in s], second), pack([x.last for x in s], last),
               pack([x.valid for x in s], valid), unpack(ready, [x.ready for x in s]))
    # Icarus 11 does not run an array of one net
    select = only_data if PIPELINES == 1 else (unpack(data, datas), unpack(second, seconds), choose_data)

    @always_comb
    def choose():
        m.valid.next = valid[turn]
        m.last.next = last[turn] and last_group and last_head

    @always_comb
    def grant():
        chosen = intbv(0)[PIPELINES:]
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
        if rst:
            head.next = 0
            group.next = 0
            lane.next = 0
            base.next = 0
            turn.next = 0
        elif ends:
            if not last_group:
                group.next = group + 1
                if lane == LAST_LANE:
                    lane.next = 0
                    turn.next = base
                else:
                    lane.next = lane + 1
                    turn.next = turn + 1
            else:
                group.next = 0
                lane.next = 0
                if last_head:
                    head.next = 0
                    base.next = 0
                    turn.next = 0
                else:
                    head.next = head + 1
                    if base == LAST_BASE:
                        base.next = 0
                        turn.next = 0
                    else:
                        base.next = base + QUERIES
                        turn.next = base + QUERIES

    return joining, select, choose, grant, place, count


def ports(UNITS: int, QUERIES: int, COUNT_BITS: int) -> dict:
    """Fresh ports and parameters; COUNT_BITS: width of kv_mul and n_kv_heads."""
    m = Stream(data=sint(F_BITS), second=sint(F_BITS), last=bit())
    s = Series(*(m.clone() for _ in range(UNITS * QUERIES)))
    counts = dict(kv_mul=uint(COUNT_BITS), n_kv_heads=uint(COUNT_BITS))
    return dict(clk=bit(), rst=bit(), s=s, **counts, m=m, UNITS=UNITS, QUERIES=QUERIES)
