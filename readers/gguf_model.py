"""Reader of GGUF files of the architecture "llama".

Their queries and keys already have rotary pairs side by side, as llama2.c: what writes these files undoes the order of
Hugging Face folders.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, dequantize

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers import rope_scaling
from llama2_myhdl.readers.checkpoint import FIELDS, Checkpoint, check_header, finite, tensor_shapes
from llama2_myhdl.readers.gguf_header import GgufFile
from llama2_myhdl.readers.json_text import Fields
from llama2_myhdl.readers.llama_config import DIFFERENCES, checked_tokens
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.stops import STOP_IDS

ARCHITECTURE = "llama"
_KINDS = tuple(
    GGMLQuantizationType[name]
    for name in ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
)
_ONE = {"token_embedding": "token_embd", "rms_final": "output_norm", "classifier": "output"}
_LAYER = {
    "rms_att": "attn_norm",
    "wq": "attn_q",
    "wk": "attn_k",
    "wv": "attn_v",
    "wo": "attn_output",
    "rms_ffn": "ffn_norm",
    "w1": "ffn_gate",
    "w2": "ffn_down",
    "w3": "ffn_up",
}
_FREQUENCIES = "rope_freqs.weight"  # divisors of the rotary frequencies, in files of Llama 3.1 and its kin


def read_gguf(path: Path, given: dict[str, float]) -> Checkpoint:
    """A Checkpoint from a file. given: `rope_theta` and `norm_eps`, if to be others than the file's.

    Raises ModelError for bad content; OSError passes.
    """
    file = GgufFile(path)
    shape = _shape(file, given)
    shared = f"{_ONE['classifier']}.weight" not in file.tensors
    shapes = tensor_shapes(shape, shared)
    places = {name: _places(name, shape) for name in shapes}
    expected = {place for names in places.values() for place in names}
    if surplus := sorted(file.tensors.keys() - expected - {_FREQUENCIES}):
        raise ModelError(f"{path}: tensor {surplus[0][:60]!r} is none of a Llama model's")
    for name, dims in shapes.items():
        for place in places[name]:
            _check(file, place, dims if name in _ONE else dims[1:])
    tensors = {}
    for name, dims in shapes.items():
        tensors[name] = np.empty(dims, np.float32)
        for layer, place in enumerate(places[name]):
            part = tensors[name][...] if name in _ONE else tensors[name][layer]
            part[...] = _floats(file, place)
            finite(part, f"{path}: {place}")
    tensors.setdefault("classifier", tensors["token_embedding"])
    bos, stops = special_tokens(file, shape.vocab_size)
    return Checkpoint(shape=shape, shared_classifier=shared, bos=bos, stops=stops, **tensors)


def _shape(file: GgufFile, given: dict[str, float]) -> ModelShape:
    values = Fields(file.values, file.name)
    kind = file.values.get("general.architecture")
    if kind != ARCHITECTURE:
        different = f" ({DIFFERENCES[kind]})" if isinstance(kind, str) and kind in DIFFERENCES else ""
        raise ModelError(
            f"{file.name}: general.architecture must be {ARCHITECTURE}, is {str(kind)[:60]!r}{different}"
        )
    values.must_be("split.count", 0, 1)
    values.must_be("llama.expert_count", 0)
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.dims) != 2:
        raise ModelError(f"{file.name}: tensor token_embd.weight of two dimensions is missing")
    heads = values.integer("llama.attention.head_count")
    fields = dict(
        dim=values.integer("llama.embedding_length"),
        hidden_dim=values.integer("llama.feed_forward_length"),
        n_layers=values.integer("llama.block_count"),
        n_heads=heads,
        n_kv_heads=values.integer("llama.attention.head_count_kv", heads),
        vocab_size=values.integer("llama.vocab_size", embedding.dims[0]),
        seq_len=values.integer("llama.context_length"),
    )
    check_header({name: fields[name] for name in FIELDS}, file.name)
    head_dim = fields["dim"] // heads
    for key in ("attention.key_length", "attention.value_length", "rope.dimension_count"):
        if values.integer(f"llama.{key}", head_dim) != head_dim:
            found = values.integer(f"llama.{key}")
            raise ModelError(
                f"{file.name}: llama.{key} (head_dim) must be embedding_length / head_count = {head_dim}, is {found}"
            )
    if values.integer("llama.attention.sliding_window", fields["seq_len"]) < fields["seq_len"]:
        window = values.integer("llama.attention.sliding_window")
        raise ModelError(
            f"{file.name}: llama.attention.sliding_window must be at least the context of {fields['seq_len']}, "
            f"is {window}"
        )
    numbers = dict(
        rope_theta=values.number("llama.rope.freq_base", 10000.0),
        norm_eps=values.number("llama.attention.layer_norm_rms_epsilon"),
    )
    try:
        return ModelShape(**fields, **(numbers | given), rope_divisors=_divisors(file, values, head_dim))
    except ConfigError as error:
        raise ModelError(f"{file.name}: {error}") from error


def _divisors(file: GgufFile, values: Fields, head_dim: int) -> tuple[float, ...]:
    """From a tensor of them, or a linear factor."""
    kind = file.values.get("llama.rope.scaling.type", "none")
    if kind not in ("none", "linear"):
        raise ModelError(f"{file.name}: llama.rope.scaling.type must be none or linear, is {str(kind)[:60]!r}")
    factor = values.number("llama.rope.scaling.factor", 1.0) if kind == "linear" else 1.0
    factor *= values.number("llama.rope.scale_linear", 1.0)
    divisors = rope_scaling.linear(head_dim, factor)
    if _FREQUENCIES in file.tensors:
        _check(file, _FREQUENCIES, (head_dim // 2,))
        divisors = tuple(factor * float(divisor) for divisor in _floats(file, _FREQUENCIES))
    return () if all(divisor == 1 for divisor in divisors) else divisors


def special_tokens(file: GgufFile, vocab_size: int) -> tuple[int, tuple[int, ...]]:
    """The token that begins a text, and those that end one: of a text, of a turn, of a message."""
    values = Fields(file.values, file.name)
    keys = [f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom")]
    stops = tuple(dict.fromkeys(values.integer(key) for key in keys if key in file.values)) or STOP_IDS[1:]
    bos = values.integer("tokenizer.ggml.bos_token_id", STOP_IDS[0])
    return bos, checked_tokens(bos, stops, vocab_size, file.name)


def _places(name: str, shape: ModelShape) -> list[str]:
    """Names in the file of a Checkpoint's tensor, one a layer."""
    if name in _ONE:
        return [f"{_ONE[name]}.weight"]
    return [f"blk.{layer}.{_LAYER[name]}.weight" for layer in range(shape.n_layers)]


def _check(file: GgufFile, place: str, dims: tuple[int, ...]) -> None:
    tensor = file.tensors.get(place)
    if tensor is None:
        raise ModelError(f"{file.name}: tensor {place} is missing")
    if tensor.dims != dims:
        raise ModelError(f"{file.name}: {place} must have shape {list(dims)}, has {list(tensor.dims)}")
    if tensor.kind not in _KINDS:
        known = ", ".join(kind.name for kind in _KINDS)
        raise ModelError(f"{file.name}: {place} must be {known}, is {tensor.kind.name}")


def _floats(file: GgufFile, place: str) -> np.ndarray:
    tensor = file.tensors[place]
    with np.errstate(over="ignore", invalid="ignore"):  # what comes out is looked at
        return dequantize(file.bytes_of(tensor), tensor.kind).reshape(tensor.dims)
