"""Key rows of the heads of one attention unit, with their exponents."""
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.attention.cache_rows import rows
from llama2_myhdl.rtl.memory.banked_ram import banked_ram
from llama2_myhdl.rtl.stream.stream import uint


@hblock
def key_cache(clk, we, waddr, wrow, wexp, raddr, k, ke, CFG):
    """Key rows, one a word: of each lane of `wrow` (CFG.act_bits) the low key_bits are kept.

    Ports: clk; we: write `wrow` (packed lanes) with exponent `wexp` at `waddr`; raddr -> k, ke: packed lanes and
    exponent, `cache_rows.key_latency` later. A row must not be read in the cycle in which it is written.
    """
    LANES = CFG.max_head_dim
    WIDE, KEPT = len(wrow) // LANES, len(k) // LANES
    low = [uint(KEPT) for _ in range(LANES)]
    high = [uint(WIDE - KEPT) for _ in range(LANES)] if WIDE > KEPT else []
    fields = [field for pair in zip(low, high) for field in pair] if high else low
    word, found = uint(len(k) + len(ke)), uint(len(k) + len(ke))

    split = unpack(wrow, fields)
    joining = pack([*low, wexp], word)
    banked_ram_ = banked_ram(clk, we=we, waddr=waddr, wdata=word, raddr=raddr, rdata=found, DEPTH=rows(CFG))
    parting = unpack(found, [k, ke])
    unused(*high)
    return split, joining, banked_ram_, parting
