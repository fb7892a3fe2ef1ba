"""The exponents that a row may have: those for which its field, the embedding's shift and the narrowing are made."""

from llama2_myhdl.golden.fixed import embedding
from llama2_myhdl.golden.fixed.norm import GAIN_EXPONENT_MAX, epsilon_term, largest_exponent_sum, quantise_gain
from llama2_myhdl.weights.rows import EXPONENT_MIN

# Narrowing shifts to the right alone, by 16 less the exponents of the row and of its activations, which go up to 16.
TAPE_EXPONENT_MAX = 0
EMBEDDING_LIMITS = {"low": embedding.EXPONENT_MIN, "high": embedding.EXPONENT_MAX}
_ROWS_BEHIND = {"rms_att": ("wq", "wk", "wv"), "rms_ffn": ("w1", "w3"), "rms_final": ("classifier",)}
_NORM_OF = {matrix: norm for norm, matrices in _ROWS_BEHIND.items() for matrix in matrices}


def gain_exponent_max(shape) -> int:
    """Largest exponent of a norm gain, behind which rows may still have the smallest one of theirs."""
    return min(GAIN_EXPONENT_MAX, _exponent_sum(shape) - EXPONENT_MIN)


def _exponent_sum(shape) -> int:
    return largest_exponent_sum(epsilon_term(shape.dim, shape.norm_eps))


def norm_in_front(name: str) -> str | None:
    """The norm whose output a matrix takes; None for the embedding, wo and w2."""
    return _NORM_OF.get(name)


def exponent_limits(model, name: str, layer: int | None = None) -> dict[str, int]:
    """{"low", "high"}: smallest and largest exponent of the rows of a matrix.

    model: a Checkpoint or a QuantisedCheckpoint; name: of one of its matrices; layer: None for those of no layer. Rows
    behind a norm with large gains must be the smaller for it: `golden.fixed.norm.largest_exponent_sum`.
    """
    if name in ("token_embedding", "embedding"):
        return EMBEDDING_LIMITS
    high = TAPE_EXPONENT_MAX
    if norm := norm_in_front(name):
        gain = getattr(model, norm)
        _, exponent = quantise_gain(gain if layer is None else gain[layer], model.shape.dim)
        high = min(high, _exponent_sum(model.shape) - exponent)
    return {"low": EXPONENT_MIN, "high": high}
