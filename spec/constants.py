"""Integers that the hardware reads in place of a checkpoint's floats: norm gains, RoPE frequencies, epsilon."""

from collections.abc import Sequence
from math import pi
from typing import TYPE_CHECKING, NamedTuple

from llama2_myhdl.spec.formats import EPS_FRAC, PHASE_BITS

if TYPE_CHECKING:
    import numpy as np

GAIN_EXPONENT_MIN, GAIN_EXPONENT_MAX = -128, 127  # signed 8 bits on the tape


class Gain(NamedTuple):
    """The gains of one norm times sqrt(dim), g ~ mantissa * 2**(exponent - 15); mantissa: int64 [dim] of GAIN_BITS."""

    mantissa: "np.ndarray"
    exponent: int


def epsilon_term(dim: int, eps: float) -> int:
    """The shape register dim * eps, unsigned with 32 fraction bits; `ModelShape` keeps it from 0 and from overflow."""
    return int(dim * eps * 2**EPS_FRAC + 0.5)


def frequencies(head_dim: int, theta: float, divisors: Sequence[float] = ()) -> list[int]:
    """Phase steps a position for each pair, [head_dim/2] unsigned 32 bits: theta**(-2i/head_dim) / (2*pi) turns.

    divisors: what each pair's are divided by, none for the frequencies themselves.
    """
    turns = [theta ** (-2 * i / head_dim) / (2 * pi) for i in range(head_dim // 2)]
    if divisors:
        turns = [turn / divisor for turn, divisor in zip(turns, divisors, strict=True)]
    return [int(turn * 2**PHASE_BITS + 0.5) for turn in turns]
