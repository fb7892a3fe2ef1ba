"""`make toggles`: its tables, an earlier result beside them, and what it refuses."""

import pytest

from llama2_myhdl.host.toggles import lines, main
from llama2_myhdl.sim.toggles import KINDS


def result(scale: float) -> dict:
    units = dict(small=1, big=100)
    rows = {unit: {kind: scale * (k + 1) * n for k, kind in enumerate(KINDS)} for unit, n in units.items()}
    return dict(tokens=4, cycles=1000.0, token=rows, rest=rows)


def test_units_stand_by_their_toggles_below_the_total():
    shown = lines(result(10), None)
    assert shown[0] == "4 tokens of 1,000 cycles"
    titles = [k for k, line in enumerate(shown) if line.startswith("toggles a ")]
    assert len(titles) == 2
    for first in titles:
        rows = [line.split() for line in shown[first + 1 : first + 4]]
        assert [row[0] for row in rows] == ["total", "big", "small"]
    assert shown[titles[0] + 1].split()[1:] == ["1,010", "2,020", "3,030", "4,040"]
    assert shown[titles[1] + 3].split()[1:] == ["10.00", "20.00", "30.00", "40.00"]


def test_the_change_from_an_earlier_result():
    shown = "\n".join(lines(result(9), result(10)))
    assert shown.count("( -10.0%)") == 2 * 3 * len(KINDS)
    assert "%" not in "\n".join(lines(result(9), None))


def test_the_busiest_signals():
    shown = lines(result(1) | dict(nets=[["top.a", 1234.0], ["top.b", 5.0]]), None)
    assert [line.split() for line in shown[-2:]] == [["1,234", "top.a"], ["5", "top.b"]]


@pytest.mark.parametrize("text", ["", "no json"])
def test_an_earlier_result_that_is_none_is_one_line(text, tmp_path, capsys):
    file = tmp_path / "earlier.json"
    file.write_text(text)
    assert main(["--against", str(file)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["--against", str(tmp_path / "missing.json")]) == 2
    assert main(["--config", "nonsense"]) == 2
