"""The performance model: against simulations, at its limits, and what the command says of models on boards."""

import json
from dataclasses import replace

import pytest

from llama2_myhdl.host.figures_report import DAGGER
from llama2_myhdl.host.performance import command, plot, report, station
from llama2_myhdl.host.performance.boards import BOARDS, MODELS, build_on, one_of, row_bytes
from llama2_myhdl.host.performance.dram import Dram
from llama2_myhdl.host.performance.estimate import estimate, stored
from llama2_myhdl.host.performance.heads import TokenRows, attended, passes
from llama2_myhdl.host.performance.machine import Machine
from llama2_myhdl.host.performance.measure import hardware, measure
from llama2_myhdl.host.performance.peers import PEERS
from llama2_myhdl.host.performance.points import TOLERANCE, Point, apart, plan
from llama2_myhdl.host.performance.rows import FINDING, STEPPING, Cache, Reader, readers_of
from llama2_myhdl.host.performance.supply import ASKING, COMING, Bus, Chip, Queues
from llama2_myhdl.host.performance.ways import ways
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.presets import PRESETS, build_of, preset
from llama2_myhdl.spec.program import tape_beats

POINTS = plan()
QUICK = [point for point in POINTS if point.quick]
SLOW = [point for point in POINTS if not point.quick]
NANO, NANO_BUILD = preset("nano").shape, preset("nano").build
SMOL, KV260 = MODELS["SmolLM2-135M"], BOARDS["KV260"]
compiled = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")


def near(point: Point, figures: dict) -> None:
    """The model is within the tolerance of every measured figure."""
    shares = apart(figures, point.model())
    assert shares.keys() == figures.keys() and "mean" in shares
    assert {name: share for name, share in shares.items() if abs(share) > TOLERANCE} == {}


def test_what_was_measured_is_what_the_model_says():
    """All that docs/performance.md tells: lanes, engines, shapes, positions, on the chip and behind a bus."""
    measured = json.loads(command.JSON.read_text())
    assert list(measured) == [point.key for point in POINTS]
    for point in POINTS:
        near(point, measured[point.key]["figures"])
    assert len({point.config for point in POINTS}) >= 6 and TOLERANCE == 0.03
    assert len({point.build.lanes for point in POINTS}) >= 3 and {1, 2, 5} <= {point.build.engines for point in POINTS}


def test_another_build_or_shape_is_other_hardware(monkeypatch):
    plain, engines = Point("nano", 16), Point("nano", 16, (("engines", 2),))
    found = [hardware(point) for point in (plain, engines)]
    assert hardware(Point("nano", 14, prompt=True)) == found[0] != found[1]
    monkeypatch.setitem(PRESETS, "nano", replace(PRESETS["nano"], shape=replace(NANO, n_layers=1)))
    assert hardware(plain) != found[0]


@compiled
@pytest.mark.parametrize("point", QUICK, ids=lambda point: point.key)
def test_the_simulation_of_now(point):
    near(point, measure(point)["figures"])


@compiled
@pytest.mark.bus
@pytest.mark.parametrize("point", SLOW, ids=lambda point: point.key)
def test_the_longer_simulations_of_now(point):
    near(point, measure(point)["figures"])


@compiled
def test_a_story_that_ends_early_is_no_measurement():
    with pytest.raises(SimulationError, match="the story has 16 tokens, 17 are needed"):
        measure(Point("nano", 17))


def test_a_chip_takes_no_less_than_its_tape():
    """Also where nothing but the vectors' ways is between the beats."""
    for config in ("nano", "small", "default", "stories15M"):
        shape, build = preset(config).shape, build_of(config)
        cycles = Machine(shape, build).story([0]).cycles[0]
        assert tape_beats(shape, build) < cycles < 1.2 * tape_beats(shape, build)


def test_passes_go_to_the_units_in_turn():
    shape = replace(NANO, dim=64, n_heads=8, n_kv_heads=4)
    build = replace(build_of("nano"), max_kv_heads=4, attention_units=3, attention_queries=1)
    assert [[(one.head, one.first, one.count) for one in unit] for unit in passes(shape, build)] == [
        [(0, 0, 1), (0, 1, 1), (3, 6, 1), (3, 7, 1)],
        [(1, 2, 1), (1, 3, 1)],
        [(2, 4, 1), (2, 5, 1)],
    ]
    side_by_side = passes(shape, replace(build, attention_queries=4))
    assert [one.count for unit in side_by_side for one in unit] == [2, 2, 2, 2]


def test_attention_grows_by_a_cycle_a_position_and_a_pass_behind_the_last_value():
    way = ways(NANO_BUILD)
    rows = [TokenRows(steps, lambda head: 0, lambda head: 10) for steps in (200, 201, 300)]
    ends = [attended(NANO, NANO_BUILD, way, one) for one in rows]
    assert (ends[1] - ends[0], ends[2] - ends[0]) == (4, 400)  # four heads, one after the other
    rows = [TokenRows(8, lambda head: 0, lambda head, at=at: at) for at in (1000, 1100)]
    late = [attended(NANO, NANO_BUILD, way, one) for one in rows]
    assert late[1] - late[0] == 100


def bus(**changes) -> Bus:
    """Beats that are words, of a fast memory, unless told otherwise."""
    usual = dict(bits=32, burst=16, depth=64, outstanding=8, beat_bits=32, latency=1, refresh=0)
    return Bus(**(usual | changes))


def taken(bus: Bus, beats: int = 10_000) -> float:
    """Cycles a beat, of a long run from the start of a tape."""
    return Queues(bus, 4 * beats, 0).take(beats, 0) / beats


def test_a_fast_memory_is_the_chip():
    assert Chip().take(10, 5) == 14
    assert taken(bus()) == pytest.approx(1, rel=0.01)
    shape, build = preset("stories260K").shape, replace(preset("stories260K").build, lanes=16)
    fast = Bus(512, 16, 512, 8, build.beat_bits, 1, 0)
    chip, behind = (list(Machine(shape, build, supply).story(range(4)).cycles) for supply in (None, fast))
    assert behind[1:] == chip[1:]


@pytest.mark.parametrize(
    "changes, cycles",
    [
        (dict(refresh=20), 1.25),
        (dict(pace=2.5), 2.5),
        (dict(pace=2.5, refresh=20), 3.125),
        (dict(bits=16), 2),
        (dict(bits=64), 1),
        (dict(latency=400, depth=64), (400 + ASKING + COMING + 16) / (64 + bus().behind) * 1.06),
        (dict(latency=400, depth=4096, outstanding=2), (400 + ASKING + 16) / 32),
    ],
)
def test_a_slow_memory_is_as_slow_as_it_is(changes, cycles):
    """Refreshes, words that come late, narrow words, a latency longer than the queue, few bursts under way."""
    assert taken(bus(**changes)) == pytest.approx(cycles, rel=0.05)


def test_a_queue_bridges_what_it_has_room_for():
    """A pause of the tape fills it, and a refresh of 50 cycles behind it is not seen."""
    queues = Queues(bus(refresh=5, depth=256), 100_000, 0)
    queues.take(900, 0)
    rest = queues.take(200, 2_000)
    assert rest == 2_199


def test_tapes_come_round_again():
    """Beats that are half a word and less: what is left of the last word is no part of the next round."""
    queues = Queues(bus(bits=128), 11, 7)
    for _ in range(200):
        queues.take(11, 0)
        last = queues.take(7, 0, head=True)
    assert queues.sent <= 200 * (3 + 2) + 2 * (64 + bus(bits=128).behind)
    assert last < 40 * 200


def test_what_others_take_from_the_bus_comes_later():
    plain, robbed = Queues(bus(), 100_000, 0), Queues(bus(), 100_000, 0)
    robbed.claim(5_000, 0)
    assert robbed.take(20_000, 0) - plain.take(20_000, 0) == pytest.approx(5_000, rel=0.01)


def rows_of(**changes) -> Reader:
    """A reader of rows of two words, alone at its memory."""
    (reader,) = readers_of(Cache(bus(**changes), lambda rows: 2.0 * rows, own=True), 1)
    return reader


def test_rows_come_later_by_the_latency_and_then_at_the_pace_of_the_bus():
    first = [rows_of(latency=latency).stepped(1, 100, 105) for latency in (1, 41)]
    assert first == [100 + FINDING + ASKING + 1 + 1 + STEPPING, first[0] + 40]
    assert rows_of(depth=512).stepped(2_000, 0, 0) == pytest.approx(2 * 2_000, rel=0.01)
    assert rows_of(depth=512, refresh=20).stepped(2_000, 0, 0) == pytest.approx(2 * 2_000 / 0.8, rel=0.02)


def test_rows_are_stepped_over_one_a_cycle_and_not_before_their_pass():
    """Where they come quicker than that they wait in the queue, and nothing more is asked for."""
    (reader,) = readers_of(Cache(bus(depth=64), lambda rows: rows / 2, own=True), 1)
    assert reader.stepped(1_000, 0, 500) == 500 + 1_000 - 1
    assert reader.stepped(1_000, 0, 1_500) == 1_500 + 1_000 - 1


def test_a_queue_of_rows_that_is_shorter_than_the_latency():
    """It goes round once in a latency, with the registers on the way."""
    slow = rows_of(latency=400, depth=64).stepped(2_000, 0, 0)
    assert slow == pytest.approx(2 * 2_000 / 64 * (400 + 16), rel=0.06)


def test_units_share_the_bus():
    cache = Cache(bus(depth=512), lambda rows: 2.0 * rows, own=True)
    first, second = readers_of(cache, 2)
    ends = [reader.stepped(500, 0, 0) for reader in (first, second)]
    assert ends[1] == pytest.approx(2 * ends[0], rel=0.02)


def test_layers_that_go_by_are_as_long_as_the_others(monkeypatch):
    """All of them looked at, and the first ones alone."""
    shape = replace(SMOL, n_layers=14, vocab_size=2048)
    found = []
    for many in (5, 100):
        monkeypatch.setattr(station, "MANY", many)
        found.append(estimate(shape, KV260, 150, 100).cycles)
    assert found[0] == pytest.approx(found[1], rel=0.002) and found[0] != found[1]


def test_the_bytes_of_a_token():
    """Weights with exponents and gains, a row of the embedding, the rows of all positions before, and its own."""
    found = estimate(SMOL, KV260, 150, 10)
    row = 64 * 2 + 64 + 2
    build, bits = build_on(SMOL, KV260)
    assert (bits, build.lanes, row_bytes(SMOL, build)) == (512, 64, row)
    assert found.traffic == found.weights + 576 + 1 + 30 * 3 * row * 11
    assert 134_515_008 - 61 * 576 <= SMOL.macs() < found.weights < 1.01 * SMOL.macs()
    assert stored(SMOL, build) > found.weights + 30 * 3 * 8192 * row


def test_smollm2_on_a_kv260():
    """At the bar of 60 tokens a second, where 27.0 are published; more positions cost more."""
    early, late = (estimate(SMOL, KV260, 150, pos) for pos in (127, 2047))
    assert early.rate >= 60 > 27.0 and late.rate < early.rate
    assert late.traffic * late.rate <= 512 / 8 * 150e6 * 0.955 * 1.001  # the ports' rate without the refreshes
    assert early.notes == ("4 ports joined",)


def test_the_clock_helps_until_the_memory_is_the_limit():
    slow, double, more = (estimate(SMOL, KV260, clock, 127).rate for clock in (100, 200, 600))
    assert double == pytest.approx(2 * slow, rel=0.01)
    assert more * 137.4e6 == pytest.approx(19.2e9 * 0.955, rel=0.02)


def test_what_is_over_a_limit_is_named():
    seven = MODELS["Llama-2-7B"]
    wide = estimate(MODELS["stories15M"], BOARDS["U280"], 150, 0)
    assert "bus of 8,192 bits (today at most 512)" in wide.notes
    large = estimate(replace(seven, n_layers=1, vocab_size=512), replace(KV260, bytes=1e8), 150, 0)
    assert any(note.startswith("takes ") and note.endswith(" GB of 0") for note in large.notes)
    small = estimate(MODELS["stories15M"], replace(KV260, multipliers=100), 150, 0)
    assert any("multipliers of 100" in note for note in small.notes)


def test_one_estimate_is_a_line(capsys):
    arguments = ["--board=kv260", "--model=smollm2-135m", "--clock=200", "--position=0"]
    assert command.main([*arguments, "--rate=1866"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("SmolLM2-135M on KV260, 200 MHz, position 0: ") and said.count("\n") == 1
    assert "bytes a token (keys, values and embedding too)" in said


@pytest.mark.parametrize(
    "options, words",
    [
        ("--board=KV26 --model=stories15M", "board: must be one of KV260-1, KV260, ZCU104, U280, is 'KV26', perhaps"),
        ("--board=KV260 --model=gpt2", "model: must be one of stories15M, stories42M, "),
        ("--board=KV260", "board, model: both must be given"),
        ("--clock=100", "board, model: both must be given"),
        ("--board=KV260 --model=stories15M --measure", "--measure not with them"),
        ("--board=KV260 --model=stories15M --clock=0", "clock: must be 1 to 1,000 MHz, is 0"),
        ("--board=KV260 --model=stories15M --clock=nan", "clock: must be 1 to 1,000 MHz, is nan"),
        ("--board=KV260 --model=stories15M --position=256", "position: must be 0 to 255, is 256"),
        ("--board=KV260 --model=stories15M --position=-1", "position: must be 0 to 255, is -1"),
        ("--board=KV260 --model=stories15M --width=4", "width: must be 8 to 8,192 bits, is 4"),
        ("--board=KV260 --model=stories15M --width=12", "width: must be a multiple of 8 bits, is 12"),
        ("--board=KV260 --model=stories15M --rate=99", "rate: must be 100 to 12,800 million transfers a second, is 99"),
        ("--board=KV260 --model=stories15M --latency=0.5", "latency: must be 1 to 10,000 ns, is 0.5"),
        ("--board=KV260 --model=stories15M --refresh=51", "refresh: must be 0 to 50 percent of the time, is 51"),
    ],
)
def test_bad_input_is_one_line(options, words, capsys, monkeypatch):
    monkeypatch.setattr(command, "write_whole", lambda *_: pytest.fail("something is written"))
    assert command.main(options.split()) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("performance: ") and said.err.count("\n") == 1 and words in said.err


def test_names_are_found_however_they_are_written():
    assert one_of(MODELS, "model", "TINYLLAMA-1.1b") is MODELS["TinyLlama-1.1B"]


def test_a_memory_as_a_build_sees_it():
    """64 bits of DDR4-2400 bring two words of 512 bits in three cycles of 450 MHz."""
    seen = Dram(64, 2400, 250, 4.5).bus(build_on(SMOL, KV260)[0], 512, 450)
    assert (seen.pace, seen.latency, seen.refresh) == (pytest.approx(1.5), pytest.approx(112.5), 4.5)
    assert Dram(64, 2400, 250, 4.5).peak == 19.2e9


def test_the_page_has_what_was_measured_and_what_a_board_does_not_have(monkeypatch):
    small = dict(n_layers=4, vocab_size=512, seq_len=128)
    models = {name: replace(MODELS[name], **small) for name in (report.BAR_MODEL, "stories15M")}
    monkeypatch.setattr(report, "MODELS", models)
    assert report.last_above(1e6) == 0 and report.last_above(1) == 127
    steps, measured = [], json.loads(command.JSON.read_text())
    entries = report.boards(lambda *step: steps.append(step))
    assert len(entries) == len(steps) == len(BOARDS) * len(models)
    one = {key: entry["hardware"] for key, entry in measured.items()}
    page = report.render(measured, QUICK, one, entries)
    assert page.count("+0.00%") >= 4 and "not measured" not in page.split("## Models")[0]
    assert "**SmolLM2-135M on a KV260**" in page and "needs the four ports joined" in page
    assert all(peer.name in page for peer in PEERS)
    assert DAGGER not in page and DAGGER in report.render(measured, QUICK, dict.fromkeys(one, "other"), entries)
    assert "| not measured |" in report.render({}, QUICK, one, entries)
    shares = report.own_shares(measured, POINTS, entries)
    assert all(0.5 < share < 0.96 for _, share in shares) and len(shares) == 5
    drawn = plot.picture(entries, shares)
    assert drawn == plot.picture(entries, shares) and b"<svg" in drawn
