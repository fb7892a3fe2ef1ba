"""The mathematics of a LLaMA-2 layer in numpy floats, on batches [batch, positions, ...]."""

from collections.abc import Sequence

import numpy as np

from llama2_myhdl.base.errors import ModelError

LARGEST = 2.0**55  # the sum of the squares of 2**17 elements is still a float32


def bounded(x: np.ndarray, what: str) -> np.ndarray:
    """x itself. ModelError, naming `what`, where an element is not a number or beyond LARGEST in magnitude.

    For intermediate results: whoever calls it lets them overflow quietly (`np.errstate`) and asks here afterwards.
    """
    peak = np.abs(x).max()
    if not peak <= LARGEST:
        raise ModelError(
            f"{what}: must be at most {LARGEST:.3g} in magnitude, is {peak:.3g}: the weights are too large"
        )
    return x


def rmsnorm(x: np.ndarray, gain: np.ndarray, eps: float) -> np.ndarray:
    """gain * x / sqrt(mean(x^2) + eps) over the last axis."""
    return gain * (x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + x.dtype.type(eps)))


def rope(x: np.ndarray, positions: np.ndarray, theta: float, divisors: Sequence[float] = ()) -> np.ndarray:
    """Turn pairs (2i, 2i+1) by position * theta^(-2i / head_dim), over the pair's divisor where there are any.

    x is [batch, positions, heads, head_dim].
    """
    head_dim = x.shape[-1]
    frequencies = theta ** -(np.arange(0, head_dim, 2) / head_dim)
    if divisors:
        frequencies = frequencies / np.array(divisors)
    angles = np.outer(positions, frequencies)[:, None, :]
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return np.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1).reshape(x.shape)


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, start: int) -> np.ndarray:
    """Causal grouped-query attention of queries at start, start+1, ... over all keys.

    q [batch, n, heads, head_dim], k and v [batch, start + n, kv_heads, head_dim]; returns [batch, n, heads * head_dim].
    """
    batch, n, heads, head_dim = q.shape
    group = heads // k.shape[2]
    q = q.reshape(batch, n, k.shape[2], group, head_dim).transpose(0, 2, 3, 1, 4)
    k, v = k.transpose(0, 2, 3, 1)[:, :, None], v.transpose(0, 2, 1, 3)[:, :, None]
    scores = q @ k / q.dtype.type(np.sqrt(head_dim))
    future = np.arange(start + n) > start + np.arange(n)[:, None]
    scores = np.where(future, -np.inf, scores)
    weights = softmax(scores)
    return (weights @ v).transpose(0, 3, 1, 2, 4).reshape(batch, n, heads * head_dim)


def softmax(x: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Natural logarithm of the softmax over the last axis, in float64."""
    x = x.astype(np.float64)
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


def swiglu(h1: np.ndarray, h3: np.ndarray) -> np.ndarray:
    """silu(h1) * h3; tanh keeps the sigmoid free of overflow."""
    return h1 * (0.5 + 0.5 * np.tanh(0.5 * h1)) * h3
