"""The key/value cache as a block: the intakes and memories of attention, and a stream that asks for rows by address."""

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention import attention
from llama2_myhdl.rtl.attention.cache_rows import base_bits, key_latency, rows, value_latency
from llama2_myhdl.rtl.attention.key_cache import key_cache
from llama2_myhdl.rtl.attention.row_intake import row_intake
from llama2_myhdl.rtl.attention.value_intake import value_intake
from llama2_myhdl.rtl.memory.banked_ram import banked_ram
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.rtl.stream.elastic import elastic
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2

PINS = ("layer", "seq", "pos", "kv_mul", "n_kv_heads")


@hblock
def caches(clk, rst, we, row, exponent, base, pos, s, m, KEYS, CFG):
    """The memories of all units, two or more, that hold rows of one role; m: the row that s asks for.

    A question that is taken with a row, one cycle behind it or ahead of it is read with it, behind it or ahead of it.
    """
    UNITS = CFG.attention_units
    FOUND = key_latency(CFG) if KEYS else value_latency(CFG)
    waddr, raddr = uint(len(s.address)), uint(len(s.address))
    unit, found_unit = uint(len(s.unit)), uint(len(s.unit))
    strobes = [bit() for _ in range(UNITS)]
    words, exponents = [[uint(len(signal)) for _ in range(UNITS)] for signal in (row, exponent)]
    result = m.bare()
    strobing = unpack(we, strobes)
    if KEYS:
        memories = [key_cache(clk=clk, we=strobes[u], waddr=waddr, wrow=row, wexp=exponent, raddr=raddr, k=words[u],
                              ke=exponents[u], CFG=CFG) for u in range(UNITS)]
    else:
        written = uint(len(row) + len(exponent))
        found = [uint(len(written)) for _ in range(UNITS)]
        memories = [pack([row, exponent], written)]
        memories += [banked_ram(clk, we=strobes[u], waddr=waddr, wdata=written, raddr=raddr, rdata=found[u],
                                DEPTH=rows(CFG)) for u in range(UNITS)]
        memories += [unpack(found[u], [words[u], exponents[u]]) for u in range(UNITS)]
    unit_delay = delay(clk, unit, found_unit, CYCLES=FOUND)
    elastic_ = elastic(clk, rst, s.valid, s.ready, result, m, LATENCY=FOUND + 1)

    @always_comb
    def place():
        waddr.next = concat(base, pos)

    @always(clk.posedge)
    def ask():
        raddr.next = s.address
        unit.next = s.unit

    @always_comb
    def answer():
        result.data.next = words[found_unit]
        result.exponent.next = exponents[found_unit]

    return strobing, memories, unit_delay, elastic_, place, ask, answer


@hblock
def kv_cache(clk, rst, s, s_value, s_ask, s_ask_value, m, m_value, layer, seq, pos, kv_mul, n_kv_heads, CFG):
    """Ports: clk, rst; s, s_value, layer, seq, pos, kv_mul, n_kv_heads: as of `attention`; s_ask, s_ask_value:
    Stream(unit, address): of a key and of a value row; m, m_value: Stream(data, exponent): those rows."""
    UNITS, QUERIES = CFG.attention_units, CFG.attention_queries
    row, exponent, base = uint(len(s.data)), uint(len(s.exponent)), uint(base_bits(CFG))
    value_row, value_exponent, value_base = uint(len(s_value.data)), uint(len(s_value.exponent)), uint(base_bits(CFG))
    key_we, value_we, push = uint(UNITS), uint(UNITS), uint(UNITS)
    lane, lanes, ends, last = uint(QUERIES), uint(QUERIES), bit(), bit()
    unused(push, lane, lanes, ends, last)

    row_intake_ = row_intake(clk=clk, rst=rst, s=s, layer=layer, seq=seq, kv_mul=kv_mul, n_kv_heads=n_kv_heads, row=row,
                             exponent=exponent, base=base, key_we=key_we, push=push, lane=lane, lanes=lanes, ends=ends,
                             last=last, CFG=CFG)
    value_intake_ = value_intake(clk=clk, rst=rst, s=s_value, layer=layer, seq=seq, n_kv_heads=n_kv_heads,
                                 row=value_row, exponent=value_exponent, base=value_base, we=value_we, CFG=CFG)
    keys = caches(clk, rst, we=key_we, row=row, exponent=exponent, base=base, pos=pos, s=s_ask, m=m, KEYS=True, CFG=CFG)
    values = caches(clk, rst, we=value_we, row=value_row, exponent=value_exponent, base=value_base, pos=pos,
                    s=s_ask_value, m=m_value, KEYS=False, CFG=CFG)
    return row_intake_, value_intake_, keys, values


def ports(cfg):
    """Fresh ports and parameters for a build."""
    of_attention = attention.ports(cfg)
    kept = {name: of_attention[name] for name in ("clk", "rst", "s", "s_value", *PINS)}
    asked = [Stream(unit=uint(clog2(cfg.attention_units)), address=uint(base_bits(cfg) + cfg.pos_bits))
             for _ in range(2)]
    m, m_value = [Stream(data=uint(len(kept[name].data)), exponent=uint(EXPONENT_BITS)) for name in ("s", "s_value")]
    return dict(**kept, s_ask=asked[0], s_ask_value=asked[1], m=m, m_value=m_value, CFG=cfg)


def address(cfg, seq, layer, head, pos) -> dict:
    """Unit and address of a row: {kv head of the unit, layer, sequence, position}."""
    place, unit = divmod(head, cfg.attention_units)
    return dict(unit=unit, address=((place * cfg.max_layers + layer) * cfg.sequences + seq) * cfg.max_seq + pos)


def place_of(cfg, unit, address) -> tuple:
    """Sequence, layer, kv head and position of a row: the inverse of `address`."""
    rest, pos = divmod(address, cfg.max_seq)
    rest, seq = divmod(rest, cfg.sequences)
    place, layer = divmod(rest, cfg.max_layers)
    return seq, layer, place * cfg.attention_units + unit, pos
