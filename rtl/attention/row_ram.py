"""One word for each key or value row of the heads of one attention unit."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
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
def row_ram(clk, we, waddr, wdata, raddr, rdata, CFG):
    """One word for each row of a unit's cache, and a register behind the RAM: LATENCY cycles from raddr to rdata."""
    found = uint(len(rdata))
    ram_ = ram(clk, we, waddr, wdata, raddr, found, DEPTH=rows(CFG))

    @always(clk.posedge)
    def register():
        rdata.next = found

    return ram_, register
