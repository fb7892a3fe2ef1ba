"""Rows of the key and value caches of one attention unit: how many, how they are addressed, how long they take."""
from llama2_myhdl.rtl.cache import newest
from llama2_myhdl.rtl.memory import banked_ram as memory
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.spec.config import clog2


def rows(CFG):
    """Rows of one unit's cache: {kv head of the unit, layer, sequence, position}."""
    return -(-CFG.max_kv_heads // CFG.attention_units) * CFG.max_layers * CFG.sequences * CFG.max_seq


def base_bits(CFG):
    """Width of an address without its position."""
    return cache_bits(CFG) + (CFG.seq_bits if CFG.sequences > 1 else 0)


def cache_bits(CFG):
    """Width of {kv head of the unit, layer}."""
    return clog2(rows(CFG) // (CFG.sequences * CFG.max_seq))


def key_latency(CFG):
    """Cycles from the address of a key row to the row."""
    return _latency(CFG, CFG.key_bits)


def value_latency(CFG):
    """Cycles from the address of a value row to the row."""
    return _latency(CFG, CFG.value_bits)


def _latency(CFG, element_bits):
    if CFG.cache:
        return newest.LATENCY
    return memory.latency(rows(CFG), CFG.max_head_dim * element_bits + EXPONENT_BITS)
