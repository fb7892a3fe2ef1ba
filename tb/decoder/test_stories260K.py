"""stories260K on the 64-lane decoder: bit for bit the integer model, and the story that llama2.c tells."""

import json

import numpy as np
import pytest

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.readers.checkpoint import read_checkpoint
from llama2_myhdl.readers.tokenizer import read_tokenizer
from llama2_myhdl.sim.jobs import Job, run
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.cache import quantised, tape_file
from llama2_myhdl.weights.models import DEFAULT
from tb.decoder.comparison import compare, tap_values

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="the 64-lane decoder is run in Verilator")

BUILD = preset("default").build
POSITIONS = 256
TAPPED = (0, 1, 10, 31, 100, 255)
MARGIN = 0.25  # where two logits of llama2.c lie closer than this, rounding may choose the other one


@pytest.fixture(scope="module")
def stories(reference):
    """llama2.c's greedy stories: {prompt: prompt_ids, generated_ids, text}."""
    return json.loads((reference / "llama2c_stories260K_greedy.json").read_text())


@pytest.fixture(scope="module")
def texts(stories):
    """Prompt and story of each, as far as the context reaches."""
    return [(r["prompt_ids"] + r["generated_ids"])[:POSITIONS] for r in stories.values()]


@pytest.fixture(scope="module")
def outcomes(models, stories, texts):
    """One simulation: both reference texts as prompts (the first one tapped), a story told freely, the default
    model."""
    model = models / "stories260K.bin"
    tape = str(tape_file(model, quantised(model), BUILD))
    default = DEFAULT / "model.bin"
    jobs = [
        Job(texts[0], POSITIONS, tape, TAPPED),
        Job(texts[1], POSITIONS),
        Job(stories["Once upon a time"]["prompt_ids"], 100),
        Job([1, 300], 40, str(tape_file(default, quantised(default), BUILD)), (0, 39)),
    ]
    return list(zip(jobs, run(BUILD, "verilator", jobs)))


def test_bit_exact(models, outcomes):
    """Every token beat, every value of every tap at some positions and all saturations equal the integer model."""
    model = models / "stories260K.bin"
    golden = FixedModel(quantised(model), BUILD)
    values = []
    for job, outcome in outcomes[:3]:
        before = golden.saturations.count
        values.append(compare(golden, job, outcome))
        assert outcome.counted("saturations") == golden.saturations.count - before
        assert len(outcome.tokens) == job.steps
    assert values == [len(TAPPED) * tap_values(golden.shape), 0, 0]


def test_default_model_in_the_same_simulation(outcomes):
    """The shape registers are all that changes: the default model ran after stories260K without a new build."""
    job, outcome = outcomes[3]
    golden = FixedModel(quantised(DEFAULT / "model.bin"), BUILD)
    assert outcome.boot == 0 and len(outcome.tokens) == job.steps
    assert compare(golden, job, outcome) == 2 * tap_values(golden.shape)
    assert outcome.counted("saturations") == golden.saturations.count


@pytest.mark.parametrize("text", [0, 1])
def test_agrees_with_llama2c(models, texts, outcomes, text):
    """On llama2.c's own texts the argmax agrees at 98% of positions, and differs only where llama2.c nearly ties."""
    model, predictions = models / "stories260K.bin", outcomes[text][1].predictions
    logits = FloatModel(read_checkpoint(model)).forward_all(np.array(texts[text]))
    assert len(logits) == len(predictions) == POSITIONS
    differ = [pos for pos, token in enumerate(predictions) if token != int(logits[pos].argmax())]
    margins = [float(np.diff(np.sort(logits[pos])[-2:])[0]) for pos in differ]
    print(f"{1 - len(differ) / POSITIONS:.1%} agreement, margins {[round(m, 3) for m in margins]}")
    assert len(differ) <= 0.02 * POSITIONS
    assert all(margin < MARGIN for margin in margins)


def test_tells_the_same_story(models, stories, outcomes):
    """Running free from "Once upon a time": llama2.c's tokens for at least 50 tokens."""
    expected = stories["Once upon a time"]
    prompt, tokens = len(expected["prompt_ids"]), outcomes[2][1].predictions
    told = tokens[prompt - 1 :]
    same = next((k for k, (a, b) in enumerate(zip(told, expected["generated_ids"])) if a != b), len(told))
    print(f"{same} tokens equal")
    assert same >= 50
    tokenizer = read_tokenizer(models / "tok512.bin", 512)
    assert expected["text"].startswith(tokenizer.decode_all(expected["prompt_ids"] + told[:50]))


def test_cycles(outcomes):
    """At most 9,000 cycles a token at positions below 32."""
    cycles = outcomes[2][1].cycles_per_position[:32]
    print(f"{sum(cycles) / len(cycles):,.0f} cycles a token, at most {max(cycles):,}")
    assert max(cycles) <= 9000
