"""Taps: the tensors of every stage, read off the streams inside the stations while they work."""

import numpy as np

from llama2_myhdl.rtl.layer.probes import PACKET, TAPPED
from llama2_myhdl.sim.simulator import Recorder, Simulator

Record = dict[str, np.ndarray]  # of a station: a stream's elements in order, int64


class StationTaps:
    """Records the streams with taps of one station; `bits`: width of an element, signed."""

    def __init__(self, simulator: Simulator, path: str, bits: int):
        self._bits = bits
        self._packets = simulator.recorder([f"{path}.{name}" for name in PACKET])
        self._streams: dict[str, Recorder] = {}
        for probe in TAPPED:
            stream = f"{path}.{probe.stream}"
            if simulator.has(f"{stream}_valid"):
                self._streams[probe.stream] = simulator.recorder([f"{stream}_{name}" for name in probe.values], stream)
        self.arm(False)

    def arm(self, on: bool) -> None:
        """Record from now on, or not; what was recorded is forgotten."""
        for recorder in (self._packets, *self._streams.values()):
            recorder.arm(on)
            recorder.take()

    def take(self) -> dict[tuple[int, int], Record]:
        """What passed since `arm` at each sequence and position, from `start` to `done`; packets do not overlap."""
        packets = self._packets.take()
        start, done, seq, pos = (packets[:, 1 + PACKET.index(name)] for name in PACKET)
        ends = packets[done == 1, 0]
        windows = {}
        for begin, *token in zip(packets[start == 1, 0], seq[start == 1], pos[start == 1]):
            later = ends[ends >= begin]
            if len(later):
                windows[tuple(map(int, token))] = (begin, later[0])
        rows = {name: recorder.take() for name, recorder in self._streams.items()}
        return {token: self._cut(rows, *window) for token, window in windows.items()}

    def _cut(self, rows: dict[str, np.ndarray], begin: int, end: int) -> Record:
        record = {}
        for name, found in rows.items():
            inside = found[(found[:, 0] >= begin) & (found[:, 0] <= end), 1:].astype(np.int64).reshape(-1)
            record[name] = inside - ((inside >> (self._bits - 1)) << self._bits)
        return record


def split(records: list[Record], shape) -> dict[tuple[str, int], np.ndarray]:
    """{(name, layer): F values, int64} of one token, from what its stations recorded, in the names and layers of the
    golden models: k, v, q (after RoPE), attention, x_att, swiglu, x_layer, logits.

    ValueError when a stream carried another number of values.
    """
    layers, dim, kv = shape.n_layers, shape.dim, shape.kv_dim
    # the first vector of a station is the last one of the station before
    parts = {
        probe.stream: [
            record[probe.stream][dim if probe.stream == "x" and number else 0 :]
            for number, record in enumerate(records)
            if probe.stream in record
        ]
        for probe in TAPPED
    }
    flat = {name: np.concatenate(found) for name, found in parts.items()}
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
