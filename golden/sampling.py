"""Token sequences sampled from a model itself: calibration and evaluation data that need no corpus."""

import numpy as np

from llama2_myhdl.golden.float_model import FloatModel, pick

CALIBRATION_SEED = 1000
EVALUATION_SEED = 2000


def sample_texts(model: FloatModel, count: int, length: int, seed: int, temperature: float = 1.0) -> np.ndarray:
    """`count` sequences of `length` tokens, each starting with BOS: int64 [count, length], the same for a seed."""
    rng = np.random.default_rng(seed)
    tokens = np.full((count, length), model.bos)
    model.reset(count, length)
    for position in range(1, length):
        logits = model.step(tokens[:, position - 1 : position])[:, 0]
        tokens[:, position] = pick(logits, temperature, rng)
    model.reset()
    return tokens
