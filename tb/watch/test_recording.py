"""What a recording says, against the simulation's own counts and against the integer model, number by number."""

import re

import numpy as np
import pytest

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host.taps import folded
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.stops import STOP_NAMES
from llama2_myhdl.watch import limits
from llama2_myhdl.watch.tensors import NAMES
from tb.watch.recorded import ALONE, TOGETHER, recorded

MATRICES = {"Wk", "Wq", "Wv", "Wo", "W1 W3", "W2", "classifier"}


@pytest.fixture(scope="module", params=[ALONE, TOGETHER], ids=["alone", "three on two engines"])
def told(request, tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("watch"), *request.param[0], build=request.param[1])


def test_the_stories_are_those_that_were_told(told):
    run, tokenizer = told.run, told.request.tokenizer
    for k, (story, fed, outcome) in enumerate(zip(run["stories"], told.told.inputs, told.told.outcomes, strict=True)):
        own = [token for token in run["tokens"] if token["story"] == k]
        assert story == dict(
            text=tokenizer.decode_all(fed), tokens=len(own), stop=STOP_NAMES[outcome.tokens[-1]["stop"]], equal=True
        )
        assert [token["pos"] for token in own] == list(range(len(outcome.tokens)))
        assert [token["id"] for token in own] == fed[: len(own)]
        assert "".join(token["text"] for token in own) == tokenizer.decode_all(fed[: len(own)])
        assert [token["said"] for token in own] == [beat["token"] for beat in outcome.tokens]
        assert [token["cycles"] for token in own] == outcome.cycles_per_position


def test_cycles_by_cause_are_those_that_the_hardware_counted(told):
    """All but idle ones: between tokens a station has no command, and no token."""
    for k, cause in enumerate(CAUSES[:-1]):
        counted = sum(station[cause] for station in told.run["counters"])
        assert sum(token["causes"][k] for token in told.run["tokens"]) == counted


def test_busy_cycles_are_in_the_token_and_add_up(told):
    units, beats = told.run["units"], told.request.shape.beats(told.request.build.lanes)
    for token in told.run["tokens"]:
        assert token["busy"][units.index("matvec")] == beats
        for busy, flat in zip(token["busy"], token["spans"], strict=True):
            assert sum(flat[1::2]) == busy > 0
            assert sum(flat) <= token["end"] - token["first"] and min(flat[1:]) > 0


def test_stages_follow_one_another_in_each_station(told):
    for token in told.run["tokens"]:
        rows = [token["stages"][k : k + 5] for k in range(0, len(token["stages"]), 5)]
        assert sum(cycles for *_, cycles in rows) == sum(token["causes"])
        assert all(a[0] < b[0] or a[0] == b[0] and a[3] + a[4] == b[3] for a, b in zip(rows, rows[1:]))
        assert {told.run["stage_names"][row[2]] for row in rows} >= MATRICES


def test_the_cache_fills_layer_by_layer(told):
    for token in told.run["tokens"]:
        assert token["cached"] == sorted(set(token["cached"])) and 0 < token["cached"][0]
        assert len(token["cached"]) == told.request.shape.n_layers
        assert token["cached"][-1] < token["end"] - token["first"]


def test_tensors_and_logits_are_the_integer_models(told):
    """Of every story, token, tap and layer; nano's tensors are all short enough to be there as a whole."""
    run, checked = told.run, 0
    places = {(token["story"], token["pos"]): token for token in run["tokens"]}
    for story in range(len(run["stories"])):
        for pos, (best, taps) in enumerate(told.golden(story)):
            token = places[story, pos]
            for name, layers in token["taps"].items():
                for k, tap in enumerate(layers):
                    assert tap["fixed"] == taps[name, k if name != "logits" else run["shape"]["n_layers"] - 1].tolist()
                    checked += len(tap["fixed"])
            logits = token["taps"]["logits"][0]["fixed"]
            assert token["top"][0][0] == best
            assert [fixed for _, fixed, _ in token["top"]] == sorted(logits, reverse=True)[: limits.LOGITS]
            assert all(logits[number] == fixed for number, fixed, _ in token["top"])
    shape = run["shape"]
    # x_att, q, attention, x_layer; k, v; swiglu
    values = shape["n_layers"] * (4 * 16 + 2 * 8 + 24) + shape["vocab_size"]
    assert checked == len(run["tokens"]) * values


def test_floats_are_the_float_models(told):
    model, fed = FloatModel(told.request.checkpoint, taps=True), told.told.inputs[0]
    own = [token for token in told.run["tokens"] if token["story"] == 0]
    for pos, token in enumerate(own):
        logits = model.forward(fed[pos], pos)
        assert token["float_best"] == logits.argmax()
        for name in NAMES[:-1]:
            for layer, tap in enumerate(token["taps"][name]):
                floats = model.taps[name][layer].reshape(-1)
                assert np.allclose(tap["float"], floats, rtol=1e-4, atol=1e-7)
                unit = 2.0**-20 / folded(told.request.shape).get(name, 1)
                assert told.run["taps"][name]["unit"] == unit
                assert tap["error"] == pytest.approx(np.abs(np.array(tap["fixed"]) * unit - floats).max(), rel=1e-3)
                assert tap["error"] < 0.1 * tap["size"]


def test_every_field_is_documented(told):
    """docs/watch.md has a row for each field, and for no other."""
    run, token = told.run, told.run["tokens"][0]
    fields = {*run, *(f"tokens.{name}" for name in token), *(f"stories.{name}" for name in run["stories"][0])}
    fields |= {f"thinned.{name}" for name in run["thinned"]} | {f"taps.{name}" for name in run["taps"]["q"]}
    fields |= {f"tokens.taps.{name}" for name in token["taps"]["q"][0]}
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", (PROJECT / "docs" / "watch.md").read_text(), re.M))
    assert rows == fields
