"""Key and value rows of the heads of one attention unit, with their exponents."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.memory import ram as memory
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import uint
from llama2_myhdl.spec.config import clog2

LATENCY = memory.LATENCY + 1  # cycles from an address to its row


def rows(CFG):
    """Rows of one unit's cache: {kv head of the unit, layer, sequence, position}."""
    return -(-CFG.max_kv_heads // CFG.attention_units) * CFG.max_layers * CFG.sequences * CFG.max_seq


def base_bits(CFG):
    """Width of an address without its position."""
    return cache_bits(CFG) + (CFG.seq_bits if CFG.sequences > 1 else 0)


def cache_bits(CFG):
    """Width of {kv head of the unit, layer}."""
    return clog2(rows(CFG) // (CFG.sequences * CFG.max_seq))


@hblock
def key_cache(clk, we, waddr, wrow, wexp, raddr, k, ke, CFG):
    """Key rows, one a word: of each lane of `wrow` (CFG.act_bits) the low key_bits are kept.

    Ports: clk; we: write `wrow` (packed lanes) with exponent `wexp` at `waddr`; raddr -> k, ke: packed lanes and
    exponent, LATENCY cycles later. A row must not be read in the cycle in which it is written.
    """
    LANES = CFG.max_head_dim
    WIDE, KEPT = len(wrow) // LANES, len(k) // LANES
    low = [uint(KEPT) for _ in range(LANES)]
    high = [uint(WIDE - KEPT) for _ in range(LANES)] if WIDE > KEPT else []
    fields = [field for pair in zip(low, high) for field in pair] if high else low
    word, found = uint(len(k) + len(ke)), uint(len(k) + len(ke))

    split = unpack(wrow, fields)
    joining = pack([*low, wexp], word)
    store = row_ram(clk, we, waddr, word, raddr, found, CFG=CFG)
    parting = unpack(found, [k, ke])
    unused(*high)
    return split, joining, store, parting


@hblock
def row_ram(clk, we, waddr, wdata, raddr, rdata, CFG):
    """One word for each row of a unit's cache, and a register behind the RAM: LATENCY cycles from raddr to rdata."""
    found = uint(len(rdata))
    store = ram(clk, we, waddr, wdata, raddr, found, DEPTH=rows(CFG))

    @always(clk.posedge)
    def register():
        rdata.next = found

    return store, register
