"""Builds that cannot be are refused by name, with the limit and the value."""

import pytest

from llama2_myhdl.spec.config import MAX_ACC_BITS, ConfigError
from llama2_myhdl.spec.presets import build_of

REFUSED = [
    (dict(lanes=2), "lanes: must be a power of two, at least 4, is 2"),
    (dict(lanes=12), "lanes: must be a power of two, at least 4, is 12"),
    (dict(max_vocab=0), "max_vocab: must be at least 1, is 0"),
    (dict(max_dim=4), "max_dim: must be at least 8, is 4"),
    (dict(max_seq=48), "max_seq: must be a power of two, is 48"),
    (dict(sequences=3), "sequences: must be a power of two, is 3"),
    (dict(engines=7), "engines: must be at most max_layers = 6, is 7"),
    (dict(attention_units=9), "attention_units: must be at most max_kv_heads = 8, is 9"),
    (dict(attention_queries=9), "attention_queries: must be at most max_heads = 8, is 9"),
    (dict(max_quant_lanes=6), "max_quant_lanes: must be a power of two, at least 2, is 6"),
    (dict(act_bits=12, key_bits=12), "act_bits: must be 8 or 16, is 12"),
    (dict(key_bits=8), "key_bits: must be act_bits = 16 (one head quantiser), is 8"),
    (dict(value_bits=16), "value_bits: must be 8, is 16"),
    (dict(weight_bits=12), "weight_bits: must be 8 or 16, is 12"),
    (dict(list_entries=1), "list_entries: must be 0 (no sampler) or 2 to 64, is 1"),
]


@pytest.mark.parametrize("changes, line", REFUSED)
def test_impossible_builds(changes, line):
    with pytest.raises(ConfigError) as refused:
        build_of("default", **changes)
    assert str(refused.value) == line


def test_sums_that_the_integer_model_cannot_count():
    """Rows of 2**15 columns with weights of 16 bits have just enough room, longer ones have not."""
    assert build_of("llama2-70B", weight_bits=16).acc_bits == MAX_ACC_BITS
    with pytest.raises(
        ConfigError, match="weight_bits: must be 8 with rows of 32769 columns, .*, is 16"
    ):
        build_of("llama2-70B", weight_bits=16, max_hidden=(1 << 15) + 1)


@pytest.mark.parametrize("bits", [8, 16])
def test_what_follows_from_a_weight(bits):
    build = build_of("default", weight_bits=bits)
    assert (build.exp_bits, build.beat_bits, build.beat_bytes) == (bits, 64 * bits, 8 * bits)
