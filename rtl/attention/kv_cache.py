"""Key and value rows of the heads of one attention unit, with their exponents."""
from myhdl import always

from rtl.hdl.hierarchy import hblock, unused
from rtl.hdl.lanes import pack, unpack
from rtl.memory import ram as memory
from rtl.memory.ram import ram
from rtl.stream.stream import uint

LATENCY = memory.LATENCY + 1  # cycles from an address to its row


def rows(CFG):
    """Rows of one unit's cache: {kv head of the unit, layer, position}."""
    return -(-CFG.max_kv_heads // CFG.attention_units) * CFG.max_layers * CFG.max_seq


@hblock
def kv_cache(clk, key_we, value_we, waddr, wrow, wexp, key_addr, value_addr, k, ke, v, ve, CFG):
    """Two RAMs, one row a word; a key row and a value row are read each cycle.

    Ports: clk; key_we, value_we: write `wrow` (packed lanes of CFG.act_bits, of which the low key_bits or value_bits
    are kept) with exponent `wexp` at `waddr`; key_addr -> k, ke and value_addr -> v, ve: packed lanes and exponent,
    LATENCY cycles later. A row must not be read in the cycle in which it is written.
    """
    LANES = CFG.max_head_dim
    DEPTH = rows(CFG)
    keys = lane_ram(clk, key_we, waddr, wrow, wexp, key_addr, k, ke, LANES=LANES, DEPTH=DEPTH)
    values = lane_ram(clk, value_we, waddr, wrow, wexp, value_addr, v, ve, LANES=LANES, DEPTH=DEPTH)
    return keys, values


@hblock
def lane_ram(clk, we, waddr, wrow, wexp, raddr, row, exponent, LANES, DEPTH):
    """One RAM of rows: keeps the low len(row) / LANES bits of each lane of `wrow`; a register behind the RAM."""
    WIDE, KEPT = len(wrow) // LANES, len(row) // LANES
    low = [uint(KEPT) for _ in range(LANES)]
    high = [uint(WIDE - KEPT) for _ in range(LANES)] if WIDE > KEPT else []
    fields = [field for pair in zip(low, high) for field in pair] if high else low
    word, found, held = [uint(len(row) + len(wexp)) for _ in range(3)]

    split = unpack(wrow, fields)
    joining = pack([*low, wexp], word)
    store = ram(clk, we, waddr, word, raddr, found, DEPTH=DEPTH)

    @always(clk.posedge)
    def register():
        held.next = found

    parting = unpack(held, [row, exponent])
    unused(*high)
    return split, joining, store, register, parting
