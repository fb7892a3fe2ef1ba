"""The config.json of a Hugging Face folder: what of it is a model that the hardware runs, and what is not."""

from dataclasses import dataclass
from math import inf

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers import rope_scaling
from llama2_myhdl.readers.checkpoint import FIELDS, MOST_STOPS, check_header
from llama2_myhdl.readers.json_text import Fields
from llama2_myhdl.spec.config import ConfigError, ModelShape
from llama2_myhdl.spec.stops import STOP_IDS

MODEL_TYPES = ("llama", "mistral")
# what others have that is not here, for the refusal
DIFFERENCES = {
    "cohere": "LayerNorm, attention and feed-forward side by side",
    "deepseek_v2": "latent attention, experts",
    "deepseek_v3": "latent attention, experts",
    "falcon": "LayerNorm, attention and feed-forward side by side",
    "gemma": "scaled embedding, norm gains plus one, GELU",
    "gemma2": "norms behind the blocks, soft caps, sliding window, GELU",
    "gemma3_text": "norms of queries and keys, sliding window, GELU",
    "gpt2": "learned positions, LayerNorm, GELU",
    "gpt_neox": "LayerNorm, GELU, rotation of a part of the head",
    "granite": "multipliers of embedding, attention, residual and logits",
    "llama4_text": "experts, layers without rotation",
    "mixtral": "experts",
    "olmo2": "norms behind the blocks, norms of queries and keys",
    "phi": "LayerNorm, GELU, rotation of a part of the head",
    "phi3": "fused matrices, sliding window",
    "qwen2": "biases of queries, keys and values",
    "qwen3": "norms of queries and keys",
    "smollm3": "layers without rotation",
    "stablelm": "LayerNorm, rotation of a part of the head",
    "starcoder2": "LayerNorm, biases, GELU",
}
_NAMES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
          "vocab_size", "max_position_embeddings")  # fmt: skip
_EPSILON, _THETA = 1e-6, 10000.0  # where a config.json does not say them


@dataclass(frozen=True)
class LlamaConfig:
    """What a config.json says. tied: the classifier is the embedding; bos, stops: as a Checkpoint has them."""

    shape: ModelShape
    tied: bool
    bos: int
    stops: tuple[int, ...]


def llama_config(values: dict, generation: dict, name: str, given: dict[str, float]) -> LlamaConfig:
    """From the objects of config.json and generation_config.json. given: `rope_theta` and `norm_eps`, if to be others
    than the file's. ModelError names what is different."""
    config = Fields(values, name)
    _check_kind(config)
    heads = config.integer("num_attention_heads")
    if values.get("num_key_value_heads") is None:
        config.values = values | {"num_key_value_heads": heads}
    fields = dict(zip(FIELDS, map(config.integer, _NAMES), strict=True))
    check_header(fields, name)
    head_dim = fields["dim"] // heads
    if config.values.get("head_dim") is not None and config.integer("head_dim") != head_dim:
        raise ModelError(
            f"{name}: head_dim must be hidden_size / num_attention_heads = {head_dim}, is {config.integer('head_dim')}"
        )
    _check_window(config, fields["seq_len"])
    theta, scaling = _rope(config)
    given = {"rope_theta": theta, "norm_eps": config.number("rms_norm_eps", _EPSILON)} | given
    try:
        shape = ModelShape(**fields, **given)  # theta is looked at before it is divided
        shape = ModelShape(**fields, **given, rope_divisors=_divisors(scaling, head_dim, shape.rope_theta))
    except ConfigError as error:
        raise ModelError(f"{name}: {error}") from error
    config.must_be("tie_word_embeddings", False, True)
    bos, stops = _tokens(config, Fields(generation, f"{name.removesuffix('config.json')}generation_config.json"), shape)
    return LlamaConfig(shape, config.values.get("tie_word_embeddings", False), bos, stops)


def _check_kind(config: Fields) -> None:
    kind = config.values.get("model_type")
    if kind not in MODEL_TYPES:
        different = f" ({DIFFERENCES[kind]})" if isinstance(kind, str) and kind in DIFFERENCES else ""
        shown = repr(kind)[:60]
        raise ModelError(f"{config.name}: model_type must be {' or '.join(MODEL_TYPES)}, is {shown}{different}")
    if (quantised := config.values.get("quantization_config")) is not None:
        method = quantised.get("quant_method") if isinstance(quantised, dict) else None
        raise ModelError(f"{config.name}: quantization_config: weights must be floats, are {str(method)[:60]!r}")
    config.must_be("hidden_act", "silu")
    for bias in ("attention_bias", "mlp_bias"):
        config.must_be(bias, False, None)
    config.must_be("partial_rotary_factor", 1.0, 1, None)
    config.must_be("rope_interleaved", False, None)


def _check_window(config: Fields, context: int) -> None:
    """A sliding window is none where it is as long as the context."""
    if config.values.get("sliding_window") is not None and config.integer("sliding_window") < context:
        raise ModelError(
            f"{config.name}: sliding_window must be null or at least the context of {context}, "
            f"is {config.integer('sliding_window')}"
        )
    kinds = config.values.get("layer_types") or ["full_attention"]
    if not isinstance(kinds, list) or any(kind != "full_attention" for kind in kinds):
        raise ModelError(f"{config.name}: layer_types must all be full_attention, are {str(kinds)[:60]}")


def _rope(config: Fields) -> tuple[float, Fields]:
    """Base of the frequencies, and how they are scaled: `rope_parameters` says both, in older files two keys do."""
    parameters = config.part("rope_parameters")
    if parameters.values:
        parameters.must_be("partial_rotary_factor", 1.0, 1, None)
        return parameters.number("rope_theta", config.values.get("rope_theta", _THETA)), parameters
    return config.number("rope_theta", _THETA), config.part("rope_scaling")


def _divisors(scaling: Fields, head_dim: int, theta: float) -> tuple[float, ...]:
    kind = scaling.values.get("rope_type", scaling.values.get("type", "default"))
    if kind == "default":
        return ()
    if kind not in ("linear", "llama3"):
        raise ModelError(f"{scaling.name}: type must be default, linear or llama3, is {str(kind)[:60]!r}")
    factor = scaling.number("factor")
    if not 1 <= factor < inf:
        raise ModelError(f"{scaling.name}: factor must be finite and at least 1, is {factor}")
    if kind == "linear":
        return rope_scaling.linear(head_dim, factor)
    names = ("low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    return rope_scaling.llama3(head_dim, theta, factor, *map(scaling.number, names), scaling.name)


def _tokens(config: Fields, generation: Fields, shape: ModelShape) -> tuple[int, tuple[int, ...]]:
    """The token that begins a text, and those that end one, those for generation first."""
    begin = config.tokens("bos_token_id", STOP_IDS[:1])
    stops = tuple(dict.fromkeys((*generation.tokens("eos_token_id"), *config.tokens("eos_token_id", STOP_IDS[1:]))))
    bos = begin[0] if begin else stops[0] if stops else 0
    return bos, checked_tokens(bos, stops, shape.vocab_size, config.name)


def checked_tokens(bos: int, stops: tuple[int, ...], vocab_size: int, name: str) -> tuple[int, ...]:
    """The stop tokens. ModelError where they are too many, or a token is out of range."""
    if len(stops) > MOST_STOPS:
        raise ModelError(f"{name}: eos_token_id: must be at most {MOST_STOPS} stop tokens, are {len(stops)}")
    for what, token in (("bos_token_id", bos), *(("eos_token_id", stop) for stop in stops)):
        if not 0 <= token < vocab_size:
            raise ModelError(f"{name}: {what} must be 0 to {vocab_size - 1}, is {token}")
    return stops
