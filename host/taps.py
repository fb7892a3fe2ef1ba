"""Tensors of every stage of the hardware, beside those of the float model, in a file."""

import io
from collections.abc import Iterator

import numpy as np

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.golden.fixed.arith import to_float
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.weights.folding import fold_factor


def save(path, checkpoint, tokens: list[int], seen: dict[int, dict], layers) -> None:
    """Write an npz file with rtl/NAME/LAYER/POS and float/NAME/LAYER/POS, float64 vectors.

    tokens: the inputs of the run from position 0; seen: {position: taps of `sim.taps.split`}; layers: those to keep. q
    is saved without the factor that the hardware's W_q carries, so both sides mean the same.
    """
    arrays, folds = {}, folded(checkpoint.shape)
    for pos, taps in beside(checkpoint, tokens, seen):
        for (name, layer), (values, reference) in taps.items():
            if layer in layers:
                arrays[f"rtl/{name}/{layer}/{pos}"] = to_float(values) / folds.get(name, 1)
                arrays[f"float/{name}/{layer}/{pos}"] = reference
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_whole(path, [buffer.getvalue()])


def folded(shape) -> dict[str, float]:
    """Factors that the hardware's tensors carry and the float model's do not, by name."""
    return {"q": fold_factor("wq", shape)}


Pairs = dict[tuple[str, int], tuple[np.ndarray, np.ndarray]]


def beside(checkpoint, tokens: list[int], seen: dict[int, dict]) -> Iterator[tuple[int, Pairs]]:
    """Of each position in `seen` {(name, layer): (what the hardware had, as it is; the float model's, float64)}."""
    model = FloatModel(checkpoint, taps=True)
    for pos in range(max(seen) + 1):
        model.forward(tokens[pos], pos)
        if pos in seen:
            of = {key: model.taps[key[0]] if key[0] == "logits" else model.taps[key[0]][key[1]] for key in seen[pos]}
            yield pos, {key: (seen[pos][key], np.asarray(of[key], np.float64).reshape(-1)) for key in of}
