"""Attention of one layer engine: the key/value cache and the units that stream it past the query rows."""
from myhdl import always_comb, concat

from rtl.attention import attention_unit as one_unit
from rtl.attention import query_queue
from rtl.attention.attention_unit import attention_unit
from rtl.attention.collect import collect
from rtl.attention.event_queue import event_queue
from rtl.attention.kv_cache import rows
from rtl.attention.row_intake import row_intake
from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack, unpack
from rtl.stream import fifo
from rtl.stream.skid import skid
from rtl.stream.stream import Stream, bit, sint, uint

_INTAKE = 1  # cycles from a row to its strobe
_SEQUENCER = 1  # cycles from a waiting row to the first address
_REGISTER = 1  # behind the unit's FIFO
_SKID = 1


def latency(CFG):
    """Cycles from the transfer of a token's first query row to that of the first element, at pos = 0; pos more else."""
    return _INTAKE + query_queue.LATENCY + _SEQUENCER + one_unit.latency(CFG) + fifo.LATENCY + _REGISTER + _SKID


@hblock
def attention(clk, rst, s, m, layer, pos, head_dim, kv_mul, n_kv_heads, saturated, busy, CFG):
    """Causal attention of one token over all positions so far, bit for bit golden.fixed.attention.

    clk, rst.
    s: Stream(data=uint(max_head_dim * act_bits), exponent=uint(5), tag=uint(KIND_BITS), last=bit()): head rows of one
       token: n_kv_heads KEY rows, n_kv_heads VALUE rows, kv_mul * n_kv_heads QUERY rows (tags of rtl.layer.kinds).
       Lanes are signed, lane 0 low, those from head_dim on zero; of a KEY lane the low key_bits count, of a VALUE lane
       the low value_bits. `last` is not looked at.
    m: Stream(data=F, tag=uint(KIND_BITS), last=bit()): the heads' outputs in order, head_dim elements each; tag QUERY;
       last on the token's last element.
    layer, pos, head_dim, kv_mul, n_kv_heads: stable from a token's first row to its last output element.
    saturated: one pulse for each clipped score or output element (pulses may come late).
    busy: from a token's first row to its last output element.

    CFG.attention_units units work side by side; kv head h belongs to unit h % units. A query head takes
    max(pos + 1, head_dim, sequencer.INTERVAL) cycles of its unit; heads follow without a gap.
    Multipliers (18x18): (2 * max_head_dim + 4) * attention_units.
    """
    UNITS = CFG.attention_units
    BASE_BITS = clog2(rows(CFG) // CFG.max_seq)
    # of scores and elements of a token that may clip while another event is counted
    EVENT_BITS = clog2(CFG.max_heads * (CFG.max_seq + CFG.max_head_dim)) + 1

    row, exponent, base = uint(len(s.data)), uint(len(s.exponent)), uint(BASE_BITS)
    addr = uint(BASE_BITS + len(pos))
    key_we, value_we, push = uint(UNITS), uint(UNITS), uint(UNITS)
    key_wes, value_wes, pushes = [[bit() for _ in range(UNITS)] for _ in range(3)]
    outs = [Stream(data=sint(CFG.f_bits), last=bit()) for _ in range(UNITS)]
    clips = [uint(2) for _ in range(UNITS)]
    events = uint(2 * UNITS)
    data, last, valid, ready = uint(UNITS * CFG.f_bits), uint(UNITS), uint(UNITS), uint(UNITS)
    head_done, token_done = bit(), bit()
    ordered = m.clone()

    sorting = row_intake(clk, rst, s, layer, kv_mul, n_kv_heads, head_done, token_done, row, exponent, base,
                         key_we, value_we, push, busy, CFG=CFG)
    strobes = [unpack(key_we, key_wes), unpack(value_we, value_wes), unpack(push, pushes)]

    @always_comb
    def place():
        addr.next = concat(base, pos)

    units = [attention_unit(clk, rst, key_wes[u], value_wes[u], pushes[u], addr, base, row, exponent, pos, head_dim,
                            outs[u], clips[u], CFG=CFG) for u in range(UNITS)]
    joining = [pack([out.data for out in outs], data), pack([out.last for out in outs], last),
               pack([out.valid for out in outs], valid), unpack(ready, [out.ready for out in outs]),
               pack(clips, events)]
    order = collect(clk, rst, data, last, valid, ready, kv_mul, n_kv_heads, ordered, head_done, UNITS=UNITS)
    output = skid(clk, rst, ordered, m)
    counting = event_queue(clk, rst, events, saturated, COUNT_BITS=EVENT_BITS)

    @always_comb
    def finish():
        token_done.next = m.valid and m.ready and m.last

    return sorting, strobes, place, units, joining, order, output, counting, finish
