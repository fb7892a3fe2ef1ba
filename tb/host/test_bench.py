"""The speed measurement: limits, comparison and Markdown from made-up figures; README and docs/bench.json agree."""

import json
from dataclasses import asdict

import pytest

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.host import bench
from llama2_myhdl.host.bench_limits import MEASURES, compare, counts
from llama2_myhdl.host.bench_machine import _same_beats, attempt, check, stalls, station_beats, summarise
from llama2_myhdl.host.bench_report import CONTEXT, render, summary
from llama2_myhdl.host.bench_scenarios import FULL, QUICK, Machine, Scenario, Stories, groups
from llama2_myhdl.host.readme import README, insert
from llama2_myhdl.host.utilisation import mac_utilisation
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.jobs import Job, Outcome
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.counters import COUNTERS
from llama2_myhdl.spec.presets import build_of, preset
from llama2_myhdl.weights.models import MODELS_VARIABLE
from llama2_myhdl.weights.quantise import quantise_checkpoint

SHAPE = preset("nano").shape
NANO = Machine("nano", 4, 2, 4, ())
BEAT = 2000
STORY = Scenario("decode", 12)
COUNTS = {"nano/4/1/decode 12 x1": 1000, "nano/4/2/decode 12 x1": 2000}


@pytest.fixture(scope="module")
def stories():
    weights = quantise_checkpoint(random_checkpoint(SHAPE, 1), gptq=False)
    return Stories(FixedModel(weights, NANO.build))


def figures(machine, scenario, **changes):
    """Made-up figures of a scenario."""
    shares = [{cause: 1 / len(CAUSES) for cause in CAUSES}] * (1 if machine.engines == 1 else machine.engines + 1)
    fields = dict(machine=machine.title, scenario=scenario.title, lanes=machine.lanes, engines=machine.engines)
    fields |= dict(layers=5, tokens=100, cycles=400_000, per_token=4000.0, floor=2000.0, utilisation=0.98)
    return fields | dict(stalls=shares, beat=1000.0, early=4000.0, last=6000, equal=100) | changes


def results(**changes):
    return {f"{m.key}/{s.key}": figures(m, s, **changes) for m in (*FULL, *QUICK) for s in m.scenarios}


def met(found):
    return {measure.name: measure.entry(found)["met"] for measure in MEASURES}


def test_every_measure_finds_its_scenario_and_can_be_missed():
    """E = 1 with slow prompts meets all; then each limit is missed in turn."""
    good = results()
    good["stories260K/64/1/prefill 64 x1"]["beat"] = 4300.0
    good["stories260K/64/2/prefill 64 x1"]["beat"] = 4300 / (5 / 3)
    good["stories260K/64/3/prefill 64 x1"]["beat"] = 4300 / (5 / 2)
    good["stories260K/64/5/decode 48 x5"]["per_token"] = 900.0
    assert all(met(good).values()) and len(met(good)) == len(MEASURES) == 9
    missed = [
        ("stories260K/64/1/decode 256 x1", "early", 5001),
        ("stories260K/64/1/decode 256 x1", "last", 6301),
        ("stories260K/16/1/decode 32 x1", "early", 17501),
        ("stories15M/16/1/decode 3 x1", "utilisation", 0.96),
        ("stories260K/64/5/prefill 64 x1", "beat", 4300 / 4.1),
        ("stories260K/64/5/decode 48 x5", "per_token", 1001),
        ("stories260K/64/2/prefill 64 x1", "beat", 4300 / (5 / 3) / 0.84),
        ("stories260K/64/3/prefill 64 x1", "beat", 4300 / (5 / 2) / 0.84),
        ("stories260K/64/5/arrivals x5", "equal", 99),
    ]
    for measure, (key, field, value) in zip(MEASURES, missed, strict=True):
        bad = good | {key: good[key] | {field: value}}
        assert [name for name, fine in met(bad).items() if not fine] == [measure.name]


def test_a_measure_without_its_scenario_is_not_met():
    entries = [measure.entry({}) for measure in MEASURES]
    assert all(not entry["met"] and entry["shown"] == "none" for entry in entries)


@pytest.mark.parametrize("cycles, worse, better", [(1020, 0, 0), (1021, 1, 0), (980, 0, 0), (979, 0, 1)])
def test_two_percent(cycles, worse, better):
    lines = compare(COUNTS | {"nano/4/1/decode 12 x1": cycles}, COUNTS)
    assert [len(part) for part in lines] == [worse, better]
    assert all(f"{cycles:,} cycles" in line for part in lines for line in part)


def test_runs_that_are_new_or_gone_are_said():
    worse, _ = compare({"new": 1} | COUNTS, COUNTS | {"gone": 1})
    assert len(worse) == 2 and "new" in worse[0] and "gone" in worse[1]


def test_the_quick_command_fails_on_a_regression(monkeypatch, tmp_path, capsys):
    """Stored by --store, then compared: equal is 0, one worse count is 1 and one line."""
    cycles = {"now": 1000}
    monkeypatch.setattr(bench, "JSON", tmp_path / "bench.json")
    monkeypatch.setattr(bench, "run_all", lambda machines, console: (results(cycles=cycles["now"]), []))
    assert bench.main(["--quick"]) == 1 and "nothing is stored" in capsys.readouterr().err
    assert bench.main(["--quick", "--store"]) == 0
    assert bench.main(["--quick"]) == 0
    cycles["now"] = 1100
    capsys.readouterr()
    assert bench.main(["--quick"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(counts(QUICK, results())) > 5 and all("+10.0%" in line for line in lines)
    monkeypatch.setattr(bench, "run_all", lambda machines, console: (results(cycles=1000), ["nano: it broke"]))
    assert bench.main(["--quick"]) == 1 and capsys.readouterr().err == "bench: nano: it broke\n"


def test_without_the_model_one_line_and_status_2(monkeypatch, capsys):
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    assert bench.main([]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_failed_run_writes_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "stories260k", lambda: README)
    monkeypatch.setattr(bench, "run_all", lambda machines, console: (results(), ["nano: it broke"]))
    for name in ("JSON", "MARKDOWN", "README"):
        monkeypatch.setattr(bench, name, tmp_path / name)
    (tmp_path / "README").write_text(README.read_text())
    assert bench.main([]) == 1 and [path.name for path in tmp_path.iterdir()] == ["README"]
    assert capsys.readouterr().err == "bench: nano: it broke\n"


def test_markdown_of_figures():
    document = json.loads(json.dumps(bench.document(results(), COUNTS)))
    text = render(document)
    assert text.count("| NO |") == sum(not entry["met"] for entry in document["measures"]) > 0
    assert "| stories260K, 64 lanes, E = 5: 5 sequences, 48 positions each | 4,000 | 2,000 | 2.00 | 98.0% |" in text
    stations = sum(len(entry["stalls"]) for entry in document["scenarios"].values())
    assert text.count("| 14.3% |") > 0 and text.count(", engine ") + text.count(", head |") == stations
    assert all(label in text for label, *_ in CONTEXT)
    assert "engine 1" not in summary(document)


def test_pictured_runs_have_no_figures_but_pictures():
    row = dict(seq=0, pos=31, cycles=9, stage="Wk", spans={"matvec": [[9, 9]]})
    rows = [row | dict(station=k, cycle=9 * k) for k in (0, 1)]
    found = results(trace=rows)
    document = bench.document(found, COUNTS)
    assert not any("trace" in entry for entry in document["scenarios"].values())
    keys = {f"{machine.key}/{scenario.key}" for machine in FULL for scenario in machine.scenarios}
    assert {key.split("/")[-1] for key in keys - document["scenarios"].keys()} == {s.key for s in bench.PICTURED}
    drawn = bench.pictures(found)
    assert list(drawn) == [bench.TOKEN, bench.WAVEFRONT] and all(b"<svg" in content for content in drawn.values())


def test_documents_hold_what_the_json_file_says():
    stored, readme = json.loads(bench.JSON.read_text()), README.read_text()
    assert insert(readme, bench.SECTION, summary(stored)) == readme
    assert bench.MARKDOWN.read_text() == render(stored)
    assert [entry["measure"] for entry in stored["measures"]] == [measure.name for measure in MEASURES]
    assert stored["quick"].keys() == counts(QUICK, results()).keys()


def test_machines_of_one_build_are_run_once():
    machines = bench.merged((*FULL, *QUICK))
    assert len({machine.key for machine in machines}) == len(machines) < len(FULL) + len(QUICK)
    (shipped,) = (machine for machine in machines if machine.model == "default")
    assert shipped.scenarios == (Scenario("decode", 12), Scenario("decode", 32))
    keys = [f"{machine.key}/{scenario.key}" for machine in machines for scenario in machine.scenarios]
    assert len(set(keys)) == len(keys)


def test_stories_last_and_open_differently(stories):
    first = stories.lasting(4, 12)
    told = [stories.beats(Job([token], 12)) for token in first]
    assert {len(beats) for beats in told} == {12} and len({beats[0].token for beats in told}) == 4
    with pytest.raises(ValueError, match="stories of 12 positions"):
        stories.lasting(SHAPE.vocab_size, 12)


def test_a_prompt_is_scored_at_its_end_only(stories):
    ((job,),) = groups(Scenario("prefill", 14), stories)
    beats = stories.beats(job)
    assert len(job.prompt) == job.steps == 14 and not job.score
    assert [beat.scored for beat in beats] == [False] * 13 + [True]
    assert [beat.token for beat in beats[:13]] == [0] * 13


def test_arrivals_come_together_and_then_alone(stories):
    together, *alone = groups(Scenario("arrivals", sequences=5), stories)
    assert [group for group in alone if len(group) != 1] == [] and len(together) == len(alone) == 5
    for job, (single,) in zip(together, alone):
        assert (job.prompt, job.steps, job.seq) == (single.prompt, single.steps, single.seq)
        assert not single.delay and not single.gap
    assert len({len(job.prompt) for job in together}) > 1 and len({job.delay for job in together}) == 5
    assert groups(Scenario("arrivals", sequences=5), stories) == [together, *alone]


def outcome(job, stories, cycle=100):
    """What right hardware says of a job alone: a beat every BEAT cycles."""
    beats = [
        asdict(beat) | dict(last=beat.last, seq=job.seq, cycles=cycle + BEAT * (beat.pos + 1))
        for beat in stories.beats(job)
    ]
    counters = [dict.fromkeys(COUNTERS, 7) for _ in range(3)]
    scored = sum(beat.scored for beat in stories.beats(job))
    weights = station_beats(SHAPE, NANO.build, len(beats), scored)
    after = [c | dict(weights=7 + w, idle=7 + BEAT * len(beats) - w + 9) for c, w in zip(counters, weights)]
    return Outcome(None, dict(cycles=cycle, counters=counters), dict(cycles=0, counters=after), beats)


def test_beats_of_the_stations_are_those_of_the_shape():
    for engines in (1, 2, 3, 5):
        build, shape = build_of("stories260K", lanes=16, engines=engines), preset("stories260K").shape
        beats = station_beats(shape, build, 3, 1)
        assert sum(beats) == 2 * shape.beats(16, classifier=False) + shape.beats(16)
        assert len(beats) == engines + (engines > 1)


@pytest.mark.parametrize("engines, stations", [(1, 1), (2, 3)])
def test_utilisation_counts_the_lanes_of_every_station(engines, stations):
    build = build_of("nano", engines=engines)
    macs = 2 * SHAPE.macs(classifier=False) + SHAPE.macs()
    assert mac_utilisation(SHAPE, build, 3, 1, 1000) == macs / (1000 * build.lanes * stations)


def test_figures_of_a_story(stories):
    build = NANO.build
    ((job,),) = groups(STORY, stories)
    found = summarise(NANO, STORY, SHAPE, [outcome(job, stories)])
    assert (found["tokens"], found["cycles"], found["early"], found["last"]) == (12, 12 * BEAT, BEAT, BEAT)
    assert found["floor"] == SHAPE.beats(build.lanes)
    assert found["utilisation"] == SHAPE.macs() * 12 / (12 * BEAT * build.lanes * 3)
    for shares, beats in zip(found["stalls"], station_beats(SHAPE, build, 12, 12)):
        assert shares["weights"] == beats / (12 * BEAT) and sum(shares.values()) == pytest.approx(1)


def test_the_rate_of_a_prompt(stories):
    scenario = Scenario("prefill", 14)
    ((job,),) = groups(scenario, stories)
    right = outcome(job, stories)
    right.tokens[-1]["cycles"] += 1000  # the scored one takes longer, and does not count
    for counters in right.finish["counters"]:
        counters["idle"] += 1000
    found = summarise(NANO, scenario, SHAPE, [right])
    assert found["beat"] == BEAT and found["floor"] == SHAPE.beats(NANO.lanes, False) // 2


def test_wrong_counters_are_refused(stories):
    ((job,),) = groups(STORY, stories)
    lost = outcome(job, stories)
    lost.finish["counters"][1]["weights"] -= 1
    with pytest.raises(SimulationError, match="weight beats"):
        summarise(NANO, STORY, SHAPE, [lost])
    late = outcome(job, stories)
    late.finish["counters"][0]["tape"] += 12 * BEAT
    with pytest.raises(SimulationError, match="do not add up"):
        stalls(late, 12 * BEAT)


WRONG = [("token", 31), ("pos", 9), ("scored", False), ("sampled", False), ("stop", 4)]


@pytest.mark.parametrize("field, value", WRONG)
def test_a_wrong_beat_is_seen(stories, field, value):
    ((job,),) = groups(STORY, stories)
    right, wrong = outcome(job, stories), outcome(job, stories)
    check(stories, job, right)
    wrong.tokens[5][field] = value
    with pytest.raises(SimulationError, match="beat 5"):
        check(stories, job, wrong)
    assert _same_beats(right, wrong) == 11
    wrong.tokens.clear()
    with pytest.raises(SimulationError, match="has 0"):
        check(stories, job, wrong)


def test_a_failure_is_one_line(tmp_path, monkeypatch):
    """.. even before anything has been built; its whole text is in the file that it names."""
    monkeypatch.setattr("llama2_myhdl.host.bench_machine.FOLDER", tmp_path / "sim_build" / "weights")
    line = attempt(Machine("huge", 4, 1, 1, ()), lambda *what: None)
    assert isinstance(line, str) and "huge" in line and "\n" not in line
    assert "huge" in next((tmp_path / "sim_build").glob("bench-*.log")).read_text()
