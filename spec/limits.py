"""The exponents that rows and gains may have: those for which their fields and the shifts behind them are made."""

from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.constants import GAIN_EXPONENT_MAX
from llama2_myhdl.spec.formats import EPS_FRAC, EXP2_FRAC, F_BITS, F_FRAC

EXPONENT_MIN, EXPONENT_MAX = -64, 63  # signed 7 bits
# Narrowing shifts to the right alone, by 16 less the exponents of the row and of its activations, which go up to 16.
TAPE_EXPONENT_MAX = 0
_ROWS_BEHIND = {"rms_att": ("wq", "wk", "wv"), "rms_ffn": ("w1", "w3"), "rms_final": ("classifier",)}
_NORM_OF = {matrix: norm for norm, matrices in _ROWS_BEHIND.items() for matrix in matrices}


def mantissa_max(weight_bits: int) -> int:
    """Largest magnitude of a weight's mantissa; symmetric: the smallest number is not used."""
    return (1 << (weight_bits - 1)) - 1


def embedding_limits(weight_bits: int) -> dict[str, int]:
    """{"low", "high"}: exponents of the embedding's rows. With them the shift e + 20 is 0 or more, and a mantissa
    always fits F."""
    return {"low": -F_FRAC, "high": F_BITS - F_FRAC - 1 - weight_bits}


def largest_exponent_sum(eps_term: int) -> int:
    """Largest sum of a gain's and a row's exponent at which narrowing always shifts to the right, as it can only do.

    The rest of the shift is e + k - 16: e of the quantised g*x, k of 1/rms. Where e > 0 they balance, since both follow
    the largest element of x: their sum is at most 6. Where e = 0, k is largest for the zero vector, whose sum of
    squares is eps_term alone.
    """
    sum_of_squares = eps_term << (2 * F_FRAC - EPS_FRAC)
    k = F_FRAC - (sum_of_squares.bit_length() - 1) // 2
    return EXP2_FRAC - max(6, k)


def gain_exponent_max(shape: ModelShape) -> int:
    """Largest exponent of a norm gain, behind which rows may still have the smallest one of theirs."""
    return min(GAIN_EXPONENT_MAX, largest_exponent_sum(shape.eps_term) - EXPONENT_MIN)


def norm_in_front(name: str) -> str | None:
    """The norm whose output a matrix takes; None for the embedding, wo and w2."""
    return _NORM_OF.get(name)


def exponent_limits(
    shape: ModelShape, name: str, weight_bits: int, gain_exponent: int | None = None
) -> dict[str, int]:
    """{"low", "high"}: smallest and largest exponent of the rows of a matrix.

    name: the matrix; gain_exponent: of the norm in front of it, None if there is none. Rows behind a norm with large
    gains must be the smaller for it.
    """
    if name in ("token_embedding", "embedding"):
        return embedding_limits(weight_bits)
    high = TAPE_EXPONENT_MAX
    if gain_exponent is not None:
        high = min(high, largest_exponent_sum(shape.eps_term) - gain_exponent)
    return {"low": EXPONENT_MIN, "high": high}
