"""Taps: the tensors of every stage, read off the streams inside the engines while they work.

A `Recorder` (inside the simulator) watches the streams of all stations; `split` sorts what it saw into the names and
layers that the golden models use: k, v, q (after RoPE), attention, x_att, swiglu, x_layer, logits; `save` writes them
beside the float model's.
"""

import io

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from llama2_myhdl.golden.files import write_whole
from llama2_myhdl.golden.fixed_model import to_float
from llama2_myhdl.golden.float_model import FloatModel
from llama2_myhdl.host.stations import station_handles
from llama2_myhdl.weights.quantised import fold_factor

STREAMS = {  # local names in `rtl/layer/engine.py` and `rtl/logits/head.py`: the fields that hold values
    "x": ("data",),
    "turned": ("data",),
    "value_row": ("data",),
    "attended": ("data", "second"),
    "gated": ("data",),
    "logit": ("data",),
}


class Recorder:
    """Keeps the data of the streams of all stations for wanted positions of a sequence that runs alone."""

    def __init__(self, dut, stations: int):
        self._wanted, self._seen = set(), {}
        self._stations = station_handles(dut, stations)
        for number, handle in enumerate(self._stations):
            cocotb.start_soon(self._watch(dut.clk, number, handle))

    def want(self, positions: list[int]) -> None:
        """Record these positions from now on, and forget what was recorded."""
        self._wanted, self._seen = set(positions), {}

    def take(self, pos: int) -> list[dict[str, list[int]]]:
        """What passed at a position: {stream: values in order} for each station."""
        return [self._seen.pop((number, pos)) for number in range(len(self._stations))]

    async def _watch(self, clk, number, station):
        pins = [
            (name, [getattr(station, f"{name}_{pin}") for pin in ("valid", "ready", *fields)])
            for name, fields in STREAMS.items()
            if hasattr(station, f"{name}_valid") and hasattr(station, f"{name}_ready")
        ]
        edge = RisingEdge(clk)
        while True:
            await RisingEdge(station.start)
            pos = int(station.pos.value)
            if pos not in self._wanted:
                continue
            record = self._seen[number, pos] = {name: [] for name, _ in pins}
            ended = False
            while not ended:
                await edge
                for name, (valid, ready, *data) in pins:
                    if valid.value == 1 and ready.value == 1:
                        record[name] += [field.value.to_signed() for field in data]
                ended = station.done.value == 1


def split(records: list[dict[str, list[int]]], shape) -> dict[tuple[str, int], np.ndarray]:
    """{(name, layer): F values, int64} of one token; ValueError when a stream carried another number of values."""
    layers, dim, kv = shape.n_layers, shape.dim, shape.kv_dim
    flat = {name: np.array([v for r in records for v in r.get(name, [])], np.int64) for name in STREAMS if name != "x"}
    # the first vector of a station is the last one of the station before
    vectors = [np.array(r["x"], np.int64)[dim if k else 0 :] for k, r in enumerate(records)]
    flat["x"] = np.concatenate(vectors)
    sizes = dict(
        x=(2 * layers + 1) * dim,
        turned=layers * (kv + dim),
        value_row=layers * kv,
        attended=layers * dim,
        gated=layers * shape.hidden_dim,
        logit=shape.vocab_size,
    )
    for name, size in sizes.items():
        if len(flat[name]) != size:
            raise ValueError(f"stream {name}: must carry {size} values a token, carried {len(flat[name])}")
    x, heads = flat["x"].reshape(-1, dim), flat["turned"].reshape(layers, -1)
    taps = {("logits", layers - 1): flat["logit"]}
    for layer in range(layers):
        taps["k", layer] = heads[layer, :kv]
        taps["q", layer] = heads[layer, kv:]
        taps["v", layer] = flat["value_row"].reshape(layers, kv)[layer]
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
