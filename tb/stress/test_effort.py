"""TRIALS and SEED: shares of the full numbers, other draws, and what is no number."""

import pytest

from tb.stress.effort import draws, trials


def test_trials(monkeypatch):
    monkeypatch.delenv("TRIALS", raising=False)
    assert trials(1000, 7) == 7 and trials(1, 0) == 0
    for percent, count in (("100", 1000), ("1", 10), ("250", 2500), ("", 7)):
        monkeypatch.setenv("TRIALS", percent)
        assert trials(1000, 7) == count
    monkeypatch.setenv("TRIALS", "1")
    assert trials(3, 0) == 1


@pytest.mark.parametrize("text", ["0", "-1", "half", "1.5"])
def test_no_such_share(monkeypatch, text):
    monkeypatch.setenv("TRIALS", text)
    with pytest.raises(ValueError, match="^TRIALS: must be a whole number of percent"):
        trials(1000, 7)


def test_seed_moves_the_draws(monkeypatch):
    monkeypatch.setenv("SEED", "1")
    first = draws("a").random()
    assert first == draws("a").random() != draws("b").random()
    monkeypatch.setenv("SEED", "2")
    assert first != draws("a").random()
