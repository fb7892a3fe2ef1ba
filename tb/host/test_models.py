"""Models of other kinds through `generate`: the simulated hardware, bit for bit with the integer model."""

import json
from dataclasses import replace

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.host import accuracy, generate, perplexity
from llama2_myhdl.host.setup import further_stops
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.readers.tokenizer import write_tokenizer
from tb.host.nano import PIECES, SHAPE, told
from tb.readers import gguf_files, hugging_face_folder, llama2c_files, vocabularies

LLAMA3 = dict(
    rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64
)
THETA = 500000.0


def model(kind, folder, checkpoint):
    """A file or folder of that kind."""
    if kind == "folder":
        values = hugging_face_folder.config(checkpoint, rope_scaling=LLAMA3)
        stored = hugging_face_folder.tensors(checkpoint, "bfloat16")
        return hugging_face_folder.write(folder / "model", values, stored, shards=2)
    if kind == "GGUF":
        return gguf_files.write(folder / "model.gguf", checkpoint, "F16")
    path = folder / "model.bin"
    data = llama2c_files.version1(checkpoint) if kind == "version 1" else llama2c_files.version2(checkpoint, 8)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["version 1", "version 2", "folder", "GGUF"])
def test_generate(tmp_path, kind, capfd):
    """On the nano build; what the file says of rotation and norms is what the hardware gets."""
    said = dict(rope_theta=THETA, norm_eps=1e-4) if kind in ("folder", "GGUF") else {}
    checkpoint = random_checkpoint(replace(SHAPE, **said), seed=21, shared=kind != "folder")
    write_tokenizer(PIECES, [float(len(piece)) for piece in PIECES], tmp_path / "tokenizer.bin")
    files = ["--model", str(model(kind, tmp_path, checkpoint)), "--tokenizer", str(tmp_path / "tokenizer.bin")]
    result = told([*files, "--config", "nano"], "--prompt", "hi", "--steps", "0")
    assert result["golden_match"] and result["prompt_ids"] == [1, 6, 5]
    assert (result["rope_theta"], result["norm_eps"]) == (said.get("rope_theta", 10000), said.get("norm_eps", 1e-5))
    assert result["positions"] == SHAPE.seq_len or result["stop"] == "stop token"
    line = f"theta {result['rope_theta']:g}, norm epsilon {result['norm_eps']:g}"
    divided = ", rotary frequencies over 1 to 8" if kind == "folder" else ""
    assert f"{line}{divided}\n" in capfd.readouterr().err


def test_more_stop_tokens_than_registers():
    """The third and the fourth go with each sequence; without a sampler that is refused."""
    checkpoint = replace(random_checkpoint(SHAPE, seed=1), stops=(1, 2, 3, 4))
    assert further_stops(checkpoint, True) == (3, 4)
    assert further_stops(replace(checkpoint, stops=(1, 2)), False) == ()
    with pytest.raises(ModelError, match="stop tokens: must be at most 2 without a sampler, the model has 4"):
        further_stops(checkpoint, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--chat"], "chat: the model has no chat template"),
        ([], "another vocabulary: it has 701 tokens, the model 32"),
    ],
)
def test_refusals(tmp_path, options, words, capfd):
    folder = model("folder", tmp_path, random_checkpoint(SHAPE, seed=1))
    files = ["--model", str(folder), "--config", "nano", *options]
    if options:
        write_tokenizer(PIECES, [float(len(piece)) for piece in PIECES], tmp_path / "tokenizer.bin")
        files += ["--tokenizer", str(tmp_path / "tokenizer.bin")]
    else:
        (folder / "tokenizer.json").write_text(vocabularies.byte_level("smollm", False).to_str())
    assert generate.main(files) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert line.startswith("generate: ") and words in line


@pytest.fixture
def whole(tmp_path):
    """A folder with all that a chat model has: its own tokenizer, a template, three stop tokens."""
    backend = vocabularies.byte_level("smollm", False)
    shape = replace(SHAPE, dim=32, hidden_dim=48, vocab_size=backend.get_vocab_size() + 3, seq_len=64)
    checkpoint = random_checkpoint(shape, seed=4)
    values = hugging_face_folder.config(checkpoint, bos_token_id=0, eos_token_id=[1, 2, 9])
    folder = hugging_face_folder.write(tmp_path / "m", values, hugging_face_folder.tensors(checkpoint))
    (folder / "tokenizer.json").write_text(backend.to_str())
    template = "<|im_start|>{{ messages[0].content }}<|end|>{% if add_generation_prompt %}<|im_start|>{% endif %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(chat_template=template)))
    return folder


@pytest.mark.models
def test_a_whole_folder_with_its_own_tokenizer(whole, capfd):
    """`generate`, in chat and plain, `perplexity` and `accuracy` of the same folder, and nothing else named."""
    backend = vocabularies.byte_level("smollm", False)
    files = ["--model", str(whole)]
    result = told(files, "--prompt", "the 🙂", "--chat", "--steps", "30")
    assert result["golden_match"]
    assert result["prompt_ids"] == backend.encode("<|im_start|>the 🙂<|end|><|im_start|>").ids
    result = told(files, "--prompt", "", "--steps", "30", "--temperature", "1", "--samples", "2", "--seed", "3")
    assert result["golden_match"] and result["prompt_ids"] == [0]
    (whole / "text.txt").write_text("Once upon a time, the 🙂 was naïve." * 5)
    result = told(files, "--text", str(whole / "text.txt"), main=perplexity.main)
    tokens = len(backend.encode((whole / "text.txt").read_text()).ids)
    assert result["golden_match"] and result["tokens"] == tokens > 64
    assert accuracy.main([str(whole), "--positions", "64", "--nearest"]) == 0
    assert "top-1" in capfd.readouterr().out
