"""Where the rows of a key/value head belong."""
from myhdl import always, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.attention.cache_rows import cache_bits
from llama2_myhdl.rtl.stream.stream import uint


@hblock
def head_place(clk, rst, step, layer, seq, n_kv_heads, unit, base, CFG):
    """Counts kv heads 0 .. n_kv_heads - 1, again and again: head h belongs to unit h % attention_units.

    Ports: clk, rst; step: go on to the next head; layer, seq, n_kv_heads; unit uint(attention_units): one-hot; base:
    {kv head of the unit, layer, seq}, a cycle behind `unit` (seq only if there are several).
    """
    LAST_UNIT = CFG.attention_units - 1
    LAYERS = CFG.max_layers
    CACHE_BITS = cache_bits(CFG)
    head = uint(len(n_kv_heads))
    offset = uint(CACHE_BITS)  # max_layers times the number of the head within its unit

    @always(clk.posedge)
    def count():
        if rst:
            head.next = 0
            unit.next = 1
            offset.next = 0
        elif step:
            if head == n_kv_heads - 1:
                head.next = 0
                unit.next = 1
                offset.next = 0
            else:
                head.next = head + 1
                if unit[LAST_UNIT]:
                    unit.next = 1
                    offset.next = offset + LAYERS
                else:
                    unit.next = unit << 1

    @always(clk.posedge)
    def one_sequence():
        base.next = layer + offset

    @always(clk.posedge)
    def sequences():
        cache = intbv(0)[CACHE_BITS:]
        cache[:] = layer + offset
        base.next = concat(cache, seq)

    if CFG.sequences > 1:
        return count, sequences
    unused(seq)
    return count, one_sequence
