"""`generate` with the weights in memory: the story that the chip tells, what it says of the bus, and its figures."""

from dataclasses import replace

import pytest

from llama2_myhdl.host import generate
from llama2_myhdl.host.bench_machine import FILES
from llama2_myhdl.host.bus_measure import measure
from llama2_myhdl.host.bus_use import bus_line
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.embedding import row_bytes
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import tape_beats
from tb.host.nano import SHAPE, options_of, told

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

BUS = ("--config", "nano-bus")
NANO = preset("nano-bus").build
LARGER = "stories15M-bus, llama2-7B-bus, llama3-8B-bus, llama2-70B-bus, default-bus"


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    """Options for a random model; the last --config counts."""
    return [*options_of(tmp_path_factory.mktemp("nano")), "--prompt=hi", "--steps=12"]


def test_the_story_is_that_of_the_chip(nano, capsys):
    """Token by token, and as sampled; a line says what the bus did."""
    for more in ((), ("--temperature=1", "--seed=3", "--logprobs")):
        chip, bus = told(nano, *more), told(nano, *BUS, *more)
        assert bus["golden_match"] and bus["predicted_ids"] == chip["predicted_ids"] and bus["text"] == chip["text"]
        assert bus["weight_beats"] == chip["weight_beats"] and "bus" not in chip
        assert capsys.readouterr().out.count(f"\n{bus_line(bus['bus'])}\n") == 1


@pytest.mark.parametrize("bits", [8, pytest.param(16, marks=pytest.mark.bus)])
def test_what_is_said_of_the_bus_is_what_the_tape_has(nano, bits):
    """All of the layers' tape for each token and of the head's for each that is scored, in beats of the bus; and its
    row of the embedding."""
    build = replace(NANO, weight_bits=bits)
    result = told(nano, *BUS, "--latency=9", "--refresh=0", "--prompt=", f"--weight-bits={bits}")
    use, tokens = result["bus"], result["positions"]
    assert result["golden_match"]
    assert (use["latency"], use["refresh"], use["refreshed"]) == (9, 0, 0)
    bus_beat, ahead = build.weights.word_bytes, 2 * build.weights.depth  # what is read ahead, at both ends
    whole, row = tape_beats(SHAPE, build) * build.beat_bytes, row_bytes(SHAPE, build)
    assert abs(use["bytes_per_token"] - whole - row) <= ahead * bus_beat / tokens
    bytes_a_cycle = (use["bytes_per_token"] - row) * tokens / result["cycles"]
    assert use["busy"] == pytest.approx(bytes_a_cycle / bus_beat, rel=0.01)
    assert use["useful"] == pytest.approx(result["mac_utilisation"] * build.beat_bytes / bus_beat, rel=0.01)
    assert use["waiting"] == result["counters"]["tape"] / result["cycles"]


def test_what_is_said_of_keys_and_values_is_what_their_layout_has(nano, capsys):
    """Rows and exponents are written once; a pass reads all rows before the token's own."""
    result, build = told(nano, "--config", "nano-kv", "--prompt="), preset("nano-kv").build
    use, tokens, where = result["bus"], result["positions"], layout(build)
    assert result["golden_match"] and capsys.readouterr().out.count(f"\n{bus_line(use)}\n") == 1
    heads = SHAPE.n_layers * SHAPE.n_kv_heads
    assert use["cache_written"] * tokens == tokens * heads * (where.row_beats + 1) * build.cache.word_bytes
    beats = sum(where.rows_beats(pos) for pos in range(1, tokens)) * -(-SHAPE.kv_mul // build.attention_queries)
    assert use["cache_read"] * tokens == heads * beats * build.cache.word_bytes > 0


def test_a_slower_memory_costs_cycles_and_nothing_else(nano):
    quick, slow, refreshing = (
        told(nano, *BUS, f"--latency={latency}", f"--refresh={refresh}")
        for latency, refresh in ((1, 0), (400, 0), (1, 40))
    )
    for other in (slow, refreshing):
        assert other["predicted_ids"] == quick["predicted_ids"] and other["golden_match"]
        assert other["cycles"] > quick["cycles"] and other["counters"]["tape"] > quick["counters"]["tape"]
    assert refreshing["bus"]["refreshed"] == pytest.approx(0.4, abs=0.02)


def test_the_cycle_table_has_a_row_of_the_bus(nano, capsys):
    told(nano, *BUS, "--trace", "--steps=3")
    rows = [row for row in capsys.readouterr().out.splitlines() if "  matvec " in row]
    beats = [int(row.rpartition("  bus ")[2]) for row in rows if "  bus " in row]
    assert len(beats) > len(rows) / 2 and 0 < sum(beats) <= 3 * 1213
    told(nano, "--trace", "--steps=3")
    assert "  bus " not in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, words",
    [
        (("--config=nano", "--latency=4"), "latency: configuration nano has its weights on the chip"),
        (("--config=nano", "--refresh=1", "--latency=4"), "latency, refresh: configuration nano has its weights on"),
        ((*BUS, "--latency=0"), "latency: must be 1 to 10,000 cycles, is 0"),
        ((*BUS, "--latency=10001"), "latency: must be 1 to 10,000 cycles, is 10001"),
        ((*BUS, "--refresh=50.5"), "refresh: must be 0 to 50 percent of the cycles, is 50.5"),
        ((*BUS, "--refresh=-1"), "refresh: must be 0 to 50 percent of the cycles, is -1"),
        ((*BUS, "--refresh=nan"), "refresh: must be 0 to 50 percent of the cycles, is nan"),
    ],
)
def test_bad_input_is_one_line(nano, capsys, options, words):
    assert generate.main([*nano, *options]) == 2
    said = [row for row in capsys.readouterr().err.splitlines() if row.startswith("generate:")]
    assert len(said) == 1 and words in said[0]


def test_a_model_that_is_too_large_is_told_which_builds_with_a_bus_hold_it(capsys):
    assert generate.main(["--config=nano-bus"]) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith(f"configurations that hold the model: {LARGER}")


def held(found, useful):
    """A measured story's bus was used so far, refresh taken out."""
    assert found["useful"] >= useful
    assert found["refreshed"] == pytest.approx(0.05, abs=0.002)
    assert (found["latency"], found["bus_bits"]) == (60, 8 * preset(found["config"]).build.weights.word_bytes)


@pytest.mark.bus
def test_a_token_of_stories15M():
    """Of a random model of that shape, every field equal to the integer model's; the whole decoder uses its bus: 16
    lanes, 128 bits, latency 60, refresh of 5% taken out."""
    found = measure("stories15M-bus", 1)
    held(found, 0.97)
    assert (found["lanes"], found["bus_bits"]) == (16, 128)
    assert found["without_refresh"] <= 1_000_000


@pytest.mark.bus
def test_stories260K_at_512_bits(models):
    """64 lanes: all but as fast as on the chip."""
    assert FILES["default-bus"]() == models / "stories260K.bin"
    found = measure("default-bus", 32)
    held(found, 0.8)
    assert (found["lanes"], found["bus_bits"]) == (64, 512)
    assert found["per_token"] <= 5_400


@pytest.mark.bus
def test_a_story_of_stories15M(tmp_path):
    """32 tokens by `generate`, of a random checkpoint of that shape with a vocabulary of its size."""
    shape = preset("stories15M-bus").shape
    write_checkpoint(random_checkpoint(shape, seed=15), tmp_path / "stories15M.bin")
    pieces = [b"<unk>", b"\n<s>\n", b"\n</s>\n", *(bytes([k]) for k in range(256))]
    pieces += [b"%d" % k for k in range(shape.vocab_size - len(pieces))]
    write_tokenizer(pieces, [0.0] * len(pieces), tmp_path / "tokenizer.bin")
    options = ["--model", str(tmp_path / "stories15M.bin"), "--tokenizer", str(tmp_path / "tokenizer.bin")]
    result = told(options, "--config=stories15M-bus", "--prompt=", "--steps=32")
    assert result["golden_match"] and result["positions"] == 32
    assert result["bus"]["useful"] >= 0.97
    assert sum(result["cycles_per_position"]) / 32 * (1 - result["bus"]["refreshed"]) <= 1_000_000


def test_a_memory_in_words():
    assert Dram(7, 0).behaviour == dict(latency=(7, 7), refresh=None)
    assert Dram(60, 5).behaviour == dict(latency=(60, 60), refresh=(1000, 50))
