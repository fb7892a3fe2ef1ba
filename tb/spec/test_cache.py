"""The layout of a cache in memory: every row and every exponent has a place of its own, heads stream."""

from dataclasses import replace

import pytest

from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.presets import PRESETS


@pytest.mark.parametrize("data_bits", [64, 128, 512])
@pytest.mark.parametrize("changes", [{}, dict(max_head_dim=6, attention_units=2, sequences=2, max_seq=8)])
def test_places(data_bits, changes):
    """Beats of rows and bytes of exponents are all different, in order, and fill the layout but for the last groups."""
    build = replace(PRESETS["nano"].build, **changes, cache=ReadMaster(data_bits=data_bits, burst=16))
    where = layout(build)
    assert where.row_beats * data_bits >= build.max_head_dim * (build.key_bits + build.value_bits)
    assert where.group * 2 == data_bits // 8
    used, before = set(), -1
    for unit in range(where.units):
        for head in range(where.unit_heads):
            front = (unit * where.unit_heads + head) * where.head_beats
            for position in range(where.positions):
                exponents, row = where.places(unit, head, position)
                assert exponents <= row and row > before
                if position % where.group == 0:
                    assert exponents == before + 1 and exponents not in used
                    used.add(exponents)
                beats = range(row, row + where.row_beats)
                assert used.isdisjoint(beats)
                used.update(beats)
                before = beats[-1]
                assert where.rows_beats(position + 1) == before + 1 - front
    assert used == set(range(where.beats))


def test_layers_of_an_engine():
    """Each engine has a cache of its own layers."""
    one = replace(PRESETS["nano"].build, cache=ReadMaster(data_bits=64, burst=16))
    two = replace(one, engines=2)
    assert layout(one).beats == 2 * layout(two).beats == 2 * layout(two.engine).beats
