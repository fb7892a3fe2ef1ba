"""The pictures over time: how rows become bars, and that the same rows give the same bytes."""

import pytest

from llama2_myhdl.host.gantt import joined, stays, units, wavefront, window
from llama2_myhdl.host.timing import cut


def row(cycle, cycles, stage, layer=0, station=0, seq=0, pos=0, **spans):
    fields = dict(cycle=cycle, cycles=cycles, stage=stage, layer=layer, station=station, seq=seq, pos=pos)
    return fields | dict(spans=spans)


ROWS = [
    row(100, 2, "gains"),
    row(102, 8, "Wk", matvec=[[102, 8]]),
    row(110, 3, "wait"),
    row(113, 1, "Wk", matvec=[[113, 1]]),
    row(114, 3, "W2", matvec=[[114, 2]]),
    row(117, 1, "Wk", layer=1),
    row(118, 9, "Wk", layer=1),
    row(127, 5, "W2", layer=1),
    row(132, 6, "classifier", layer=1),
]
PASSING = [
    row(10, 5, "Wk", station=0, pos=0),
    row(15, 5, "W2", station=0, pos=0),
    row(20, 9, "Wk", station=0, pos=1),
    row(22, 4, "Wk", station=1, pos=0),
]


def test_a_layer_is_cut_from_wk_to_wk():
    layer = cut(ROWS, 0)
    assert (layer.cycles, layer.stages) == (15, [("Wk", 0, 8), ("wait", 8, 3), ("Wk", 11, 1), ("W2", 12, 3)])
    assert layer.spans == {"matvec": [(0, 8), (11, 1), (12, 2)]}
    assert cut(ROWS, 1).cycles == 15
    with pytest.raises(ValueError, match="2 whole layers"):
        cut(ROWS, 2)


def test_narrow_gaps_are_closed():
    assert joined([(0, 3), (4, 1), (9, 2)], 2) == [(0, 5), (9, 2)]
    assert joined([(0, 3), (4, 1)], 1) == [(0, 3), (4, 1)]


def test_the_picture_of_units_is_reproducible():
    first = units(window(ROWS), "title", "token")
    assert first == units(window(ROWS), "title", "token") != units(cut(ROWS, 1), "title", "token")


def test_rows_of_a_token_are_one_stay():
    assert stays(PASSING) == {0: [(0, 0, 10, 10), (0, 1, 20, 9)], 1: [(0, 0, 22, 4)]}


def test_the_wavefront_is_reproducible():
    panels = [("positions", PASSING, False), ("sequences", PASSING, True)]
    first = wavefront(panels, 1)
    assert first == wavefront(panels, 1) != wavefront(panels[:1], 1)
    assert wavefront(panels[:1], 1) != wavefront([("positions", PASSING[:3], False)], 1)
