"""Tensors of every stage of the hardware, beside those of the float model, in a file."""

import io

import numpy as np

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.spec.formats import to_float
from llama2_myhdl.weights.folding import fold_factor


def save(path, checkpoint, tokens: list[int], seen: dict[int, dict], layers) -> None:
    """Write an npz file with rtl/NAME/LAYER/POS and float/NAME/LAYER/POS, float64 vectors.

    tokens: the inputs of the run from position 0; seen: {position: taps of `sim.taps.split`}; layers: those to keep. q
    is saved without the factor that the hardware's W_q carries, so both sides mean the same.
    """
    model, arrays = FloatModel(checkpoint, taps=True), {}
    fold = fold_factor("wq", checkpoint.shape)
    for pos in range(max(seen) + 1):
        model.forward(tokens[pos], pos)
        for (name, layer), values in seen.get(pos, {}).items():
            if layer not in layers:
                continue
            reference = model.taps[name] if name == "logits" else model.taps[name][layer]
            arrays[f"rtl/{name}/{layer}/{pos}"] = to_float(values) / (fold if name == "q" else 1)
            arrays[f"float/{name}/{layer}/{pos}"] = np.asarray(reference, np.float64).reshape(-1)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_whole(path, [buffer.getvalue()])
