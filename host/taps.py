"""Taps: the tensors of every stage, read off an engine's streams while it works.

A `Recorder` (inside the simulator) watches the engine's internal streams; `split` sorts what it saw into the names and
layers that the golden models use: k, v, q (after RoPE), attention, x_att, swiglu, x_layer, logits; `save` writes them
beside the float model's.
"""

import io

import cocotb
import numpy as np
from cocotb.triggers import Event, RisingEdge

from golden.files import write_whole
from golden.fixed_model import to_float
from golden.float_model import FloatModel
from weights.quantised import fold_factor

STREAMS = ("x", "turned", "attended", "gated", "logit")  # local names in `rtl/layer/engine.py`


class Recorder:
    """Collects the data of the engine's streams between `begin` and `end`."""

    def __init__(self, clk, engine):
        self._clk = clk
        self._pins = [
            (name, *(getattr(engine, f"{name}_{pin}") for pin in ("valid", "ready", "data"))) for name in STREAMS
        ]
        self._data, self._on = None, Event()
        cocotb.start_soon(self._run())

    @staticmethod
    def _stream(engine, name):
        return [getattr(engine, f"{name}_{pin}") for pin in ("valid", "ready", "data")]

    def begin(self):
        """Start with empty records."""
        self._data = {name: [] for name in STREAMS}
        self._on.set()

    def end(self) -> dict[str, list[int]]:
        """Stop; the values of each stream in order."""
        self._on.clear()
        return self._data

    async def _run(self):
        edge = RisingEdge(self._clk)
        while True:
            await self._on.wait()
            await edge
            for name, valid, ready, data in self._pins:
                if valid.value == 1 and ready.value == 1:
                    self._data[name].append(data.value.to_signed())


def split(records: dict[str, list[int]], shape) -> dict[tuple[str, int], np.ndarray]:
    """{(name, layer): F values, int64} of one token; ValueError when a stream carried another number of values."""
    layers, dim, kv = shape.n_layers, shape.dim, shape.kv_dim
    sizes = dict(
        x=(2 * layers + 1) * dim,
        turned=layers * (2 * kv + dim),
        attended=layers * dim,
        gated=layers * shape.hidden_dim,
        logit=shape.vocab_size,
    )
    for name, size in sizes.items():
        if len(records[name]) != size:
            raise ValueError(f"stream {name}: must carry {size} values a token, carried {len(records[name])}")
    flat = {name: np.array(values, np.int64) for name, values in records.items()}
    x = flat["x"].reshape(-1, dim)
    heads = flat["turned"].reshape(layers, -1)
    taps = {("logits", layers - 1): flat["logit"]}
    for layer in range(layers):
        taps["k", layer] = heads[layer, :kv]
        taps["v", layer] = heads[layer, kv : 2 * kv]
        taps["q", layer] = heads[layer, 2 * kv :]
        taps["attention", layer] = flat["attended"].reshape(layers, dim)[layer]
        taps["swiglu", layer] = flat["gated"].reshape(layers, -1)[layer]
        taps["x_att", layer] = x[1 + 2 * layer]
        taps["x_layer", layer] = x[2 + 2 * layer]
    return taps


def save(path, checkpoint, tokens: list[int], seen: dict[int, dict], layers) -> None:
    """Write an npz file with rtl/NAME/LAYER/POS and float/NAME/LAYER/POS, float64 vectors.

    tokens: the inputs of the run from position 0; seen: {position: taps of `split`}; layers: those to keep. q is saved
    without the factor that the hardware's W_q carries, so both sides mean the same.
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
