"""Attention of one layer engine: the key/value caches and the units that stream them past the query rows."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.attention import attention_unit as one_unit
from llama2_myhdl.rtl.attention import row_intake as sorting
from llama2_myhdl.rtl.attention import value_intake as placing
from llama2_myhdl.rtl.attention.attention_unit import attention_unit
from llama2_myhdl.rtl.attention.cache_rows import base_bits
from llama2_myhdl.rtl.attention.collect import collect
from llama2_myhdl.rtl.attention.event_queue import event_queue
from llama2_myhdl.rtl.attention.row_intake import row_intake
from llama2_myhdl.rtl.attention.value_intake import value_intake
from llama2_myhdl.rtl.axi.channels import MemoryChannels
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.cache.memory_cache import MemoryPort, memory_cache
from llama2_myhdl.rtl.cache.recent import recent
from llama2_myhdl.rtl.cache.rows import key_rows, token_label, value_rows
from llama2_myhdl.rtl.layer.packet import pairs
from llama2_myhdl.rtl.quant.quantiser import word_stream
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2

_SKID = 1
_EVENT_BITS = 32  # clipped values that wait to be counted: at one pulse a cycle, more than any story makes
# cycles from the transfer of a token's last value row to that of its heads' first pair, if all else is done
VALUE_LATENCY = placing.LATENCY + one_unit.VALUE_LATENCY + _SKID


def latency(CFG):
    """Cycles from the transfer of a pass's last query row to that of its first pair, at pos = 0; pos more else."""
    return sorting.LATENCY + one_unit.latency(CFG) + _SKID


@hblock
def attention(clk, rst, s, s_value, m, layer, seq, pos, head_dim, kv_mul, n_kv_heads, saturated, busy, CFG, memory=None,
              m_axi=None):
    """Causal attention of one token over all positions so far, bit for bit golden.fixed.attention.

    clk, rst.
    s: Stream(data=uint(max_head_dim * act_bits), exponent=uint(5), tag=uint(KIND_BITS), last=bit()): head rows of one
       token: n_kv_heads KEY rows, kv_mul * n_kv_heads QUERY rows (tags of spec.kinds). Lanes are signed, lane 0
       low, those from head_dim on zero; of a KEY lane the low key_bits count. `last` is not looked at.
    s_value: Stream(data=uint(max_head_dim * value_bits), exponent, tag, last): n_kv_heads VALUE rows, at any time from
       the token's first row on. `tag` and `last` are not looked at.
    m: Stream(data=F, second=F, last=bit()): the heads' outputs in order, elements 2 * i and 2 * i + 1 of a head in one
       transfer, head_dim / 2 each; last on the token's last pair.
    layer, seq, pos, head_dim (even), kv_mul, n_kv_heads: stable from a token's first row to its last pair.
    saturated: one pulse for each clipped score or output element (pulses may come late).
    busy: from a token's first row to its last pair.
    memory, m_axi: of a build with `cache`, `MemoryPort` and `MemoryChannels`; None: the caches are on the chip.

    CFG.attention_units units work side by side; kv head h belongs to unit h % units. Up to CFG.attention_queries query
    heads of a kv head go through its unit side by side, a pass, which takes max(pos + 1, head_dim / 2) cycles; passes
    follow without a gap. Only the numerators' last step waits for the token's value row. A pair a cycle leaves.
    Multipliers (18x18): (2 * max_head_dim + 6) * attention_queries * attention_units.
    """
    UNITS, QUERIES = CFG.attention_units, CFG.attention_queries
    EVENTS = 3 * QUERIES

    row, exponent, base = uint(len(s.data)), uint(len(s.exponent)), uint(base_bits(CFG))
    lane, lanes, ends, last_pass = uint(QUERIES), uint(QUERIES), bit(), bit()
    value_row, value_exponent, value_base = uint(len(s_value.data)), uint(len(s_value.exponent)), uint(base_bits(CFG))
    key_we, value_we, push = uint(UNITS), uint(UNITS), uint(UNITS)
    key_wes, value_wes, pushes = [[bit() for _ in range(UNITS)] for _ in range(3)]
    heads = [Series(*(pairs(CFG) for _ in range(QUERIES))) for _ in range(UNITS)]
    clips = [uint(EVENTS) for _ in range(UNITS)]
    events = uint(UNITS * EVENTS)
    ordered = m.clone()

    s_row, s_value_row, beside, cache = s, s_value, [{} for _ in range(UNITS)], []
    if CFG.cache:
        s_row, s_value_row, token, written = s.clone(), s_value.clone(), token_label(CFG), bit()
        m_key, m_value = [Series(*(rows(CFG) for _ in range(UNITS))) for rows in (key_rows, value_rows)]
        beside = [dict(token=token, s_key=m_key[u], s_value=m_value[u]) for u in range(UNITS)]
        asked = uint(UNITS)
        recent_ = recent(clk, rst, s, s_value, s_row, s_value_row, busy, layer, seq, pos, n_kv_heads, written, token)
        memory_cache_ = memory_cache(clk, rst, token, asked, base, key_we, row, exponent, value_we, value_row,
                                     value_exponent, value_base, pos, m_key, m_value, written, memory, m_axi, CFG=CFG)

        @always_comb
        def ask():
            asked.next = 0
            if ends:
                asked.next = push

        cache = recent_, memory_cache_, ask

    row_intake_ = row_intake(clk=clk, rst=rst, s=s_row, layer=layer, seq=seq, kv_mul=kv_mul, n_kv_heads=n_kv_heads,
                             row=row, exponent=exponent, base=base, key_we=key_we, push=push, lane=lane,
                             lanes=lanes, ends=ends, last=last_pass, CFG=CFG)
    value_intake_ = value_intake(clk=clk, rst=rst, s=s_value_row, layer=layer, seq=seq, n_kv_heads=n_kv_heads,
                                 row=value_row, exponent=value_exponent, base=value_base, we=value_we, CFG=CFG)
    strobes = unpack(key_we, key_wes), unpack(value_we, value_wes), unpack(push, pushes)
    attention_units = [attention_unit(clk=clk, rst=rst, key_we=key_wes[u], push=pushes[u], lane=lane, ends=ends,
                                      row=row, exponent=exponent, base=base, lanes=lanes, last_pass=last_pass,
                                      value_we=value_wes[u], value_row=value_row, value_exponent=value_exponent,
                                      value_base=value_base, pos=pos, head_dim=head_dim, m=heads[u], clips=clips[u],
                                      CFG=CFG, **beside[u]) for u in range(UNITS)]
    joining = pack(clips, events)
    pipelines = Series(*(stream for unit in heads for stream in unit))
    collect_ = collect(clk=clk, rst=rst, s=pipelines, kv_mul=kv_mul, n_kv_heads=n_kv_heads, m=ordered, UNITS=UNITS,
                       QUERIES=QUERIES)
    skid_ = skid(clk, rst, ordered, m)
    event_queue_ = event_queue(clk, rst, events, saturated, COUNT_BITS=_EVENT_BITS)

    @always(clk.posedge)
    def be_busy():
        if rst:
            busy.next = False
        elif (s.valid and s.ready) or (s_value.valid and s_value.ready):
            busy.next = True
        elif m.valid and m.ready and m.last:
            busy.next = False

    return cache, row_intake_, value_intake_, strobes, attention_units, joining, collect_, skid_, event_queue_, be_busy


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `attention(**ports(cfg))`."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        s=word_stream(cfg.max_head_dim, cfg.act_bits),
        s_value=word_stream(cfg.max_head_dim, cfg.value_bits),
        m=pairs(cfg),
        layer=uint(clog2(cfg.max_layers)),
        seq=uint(cfg.seq_bits),
        pos=uint(cfg.pos_bits),
        head_dim=shape.head_dim,
        kv_mul=shape.kv_mul,
        n_kv_heads=shape.n_kv_heads,
        saturated=bit(),
        busy=bit(),
        CFG=cfg,
        **memory_ports(cfg),
    )


def memory_ports(cfg: BuildConfig) -> dict:
    """Fresh ports of a build with `cache`, by name; of another one none."""
    if not cfg.cache:
        return {}
    return dict(memory=MemoryPort(cfg.cache), m_axi=MemoryChannels(cfg.cache, clog2(cfg.attention_units)))
