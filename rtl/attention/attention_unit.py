"""Attention of the query heads that share the key/value heads of one unit."""
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.rtl.attention import key_side as keys
from llama2_myhdl.rtl.attention import value_side as values
from llama2_myhdl.rtl.attention.key_side import key_side, step_bits
from llama2_myhdl.rtl.attention.lazy import SCALE_BITS, STEP
from llama2_myhdl.rtl.attention.value_side import value_side
from llama2_myhdl.rtl.attention.weighted_sum import den_bits
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint

VALUE_LATENCY = values.VALUE_LATENCY  # cycles from the strobe of a value row that a pass waits for to the first pair


def latency(CFG):
    """Cycles from the push of a pass's last query row to the first pair, at pos = 0; pos more else."""
    return keys.latency(CFG) + values.latency(CFG)


@hblock
def attention_unit(clk, rst, key_we, push, lane, ends, row, exponent, base, lanes, last_pass, value_we, value_row,
                   value_exponent, value_base, pos, head_dim, m, clips, CFG, token=None, s_key=None, s_value=None):
    """Streams the caches past one pass of query rows after the other: scores, softmax, weighted sums, divisions.

    Ports: clk, rst; key_we, push, lane, ends, row, exponent, base, lanes, last_pass: from `row_intake`, for this unit;
    value_we, value_row, value_exponent, value_base: from `value_intake`; pos, head_dim: stable while a row is inside;
    m: Series of `packet.pairs`, a stream for each query of a pass, which holds up to max_heads heads; clips
    uint(3 * attention_queries): so many values were clipped in this cycle.
    A pass takes max(pos + 1, head_dim / 2) cycles; the numerators wait for a value row, nothing else does.
    (2 * max_head_dim + 6) * attention_queries multipliers (18x18).

        row ─> query queue ─> key cache ─> scores ─> denominators ─────────┐
                                              └─> steps                    │
        value row ─────────────────────────────────┴─> value cache ─> numerators ─> divide ─> queues
    """
    # token, s_key, s_value: of a cache in memory, `token_label`, `key_rows` and `value_rows`
    QUERIES = CFG.attention_queries
    of_keys, of_values = [dict(token=token, s_rows=s) if CFG.cache else {} for s in (s_key, s_value)]
    m_pass = Stream(base=uint(len(base)), lanes=uint(QUERIES), last=bit())
    m_step = Stream(data=uint(QUERIES * step_bits(CFG)))
    den_load = uint(QUERIES)
    den, scale_den = uint(QUERIES * (den_bits(CFG) + STEP - 1)), uint(QUERIES * SCALE_BITS)
    scores_clipped, elements_clipped = uint(QUERIES), uint(2 * QUERIES)

    key_side_ = key_side(clk=clk, rst=rst, we=key_we, push=push, lane=lane, ends=ends, row=row, exponent=exponent,
                         base=base, lanes=lanes, last=last_pass, pos=pos, m_pass=m_pass, m_step=m_step,
                         den_load=den_load, den=den, scale_den=scale_den, clips=scores_clipped, CFG=CFG, **of_keys)
    value_side_ = value_side(clk=clk, rst=rst, s_pass=m_pass, s_step=m_step, den_load=den_load, den=den,
                             scale_den=scale_den, we=value_we, row=value_row, exponent=value_exponent, base=value_base,
                             pos=pos, head_dim=head_dim, m=m, clips=elements_clipped, CFG=CFG,
                             **of_values)
    joining = pack([scores_clipped, elements_clipped], clips)
    return key_side_, value_side_, joining
