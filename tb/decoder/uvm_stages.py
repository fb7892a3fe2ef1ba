"""A passive environment inside the decoder: every value of every stage, beside the active one at the top."""

import numpy as np
from pyuvm import uvm_subscriber

from llama2_myhdl.golden.fixed.embedding import embed
from llama2_myhdl.rtl.layer.probes import TAPPED
from llama2_myhdl.rtl.stream.stream import Stream, sint
from tb.uvm.coverage import Coverage
from tb.uvm.env import BlockEnv
from tb.uvm.grid import Grid
from tb.uvm.predictor import Predictor

STAGES = {probe.stream: probe for probe in TAPPED}


class StagePredictor(Predictor):
    """Sorts the taps of a token into the streams that carry them."""

    def build_phase(self):
        super().build_phase()
        self.analysis_export = uvm_subscriber.uvm_AnalysisImp("analysis_export", self, self.forward)

    def forward(self, token_and_taps):
        token, taps = token_and_taps
        model = self.cdb_get("MODEL")
        table = model.golden.weights.embedding
        series = {"x": [embed(table.mantissa[token], table.exponent[token])]}
        for layer in range(model.golden.shape.n_layers):
            for stage, probe in STAGES.items():
                found = [taps[name, layer] for name in probe.taps if (name, layer) in taps]
                series[stage] = series.get(stage, []) + found
        for stage, parts in series.items():
            if not parts:  # the logits of a token that is not scored
                continue
            values = np.concatenate(parts).tolist()
            fields = STAGES[stage].values
            beats = [dict(zip(fields, values[k : k + len(fields)])) for k in range(0, len(values), len(fields))]
            for beat in beats:
                self.predict(stage, beat)
            self.transactions.write((stage, len(beats)))


def values(shape) -> dict[str, int]:
    """Beats of each stage that a token has."""
    layers = shape.n_layers
    return dict(
        x=(1 + 2 * layers) * shape.dim,
        turned=layers * (shape.kv_dim + shape.dim),
        value_row=layers * shape.kv_dim,
        attended=layers * shape.dim // 2,
        gated=layers * shape.hidden_dim,
        logit=shape.vocab_size,
    )


class StageCoverage(Coverage):
    def grids(self):
        yield Grid("tokens", stage=tuple(STAGES))

    def write(self, stage_and_count):
        self.grid["tokens"].sample(stage=stage_and_count[0])


class Inside:
    """Signals of an instance, with the clock and reset of the top: a build does not show those inside again."""

    def __init__(self, instance, top):
        self.clk, self.rst, self._instance = top.clk, top.rst, instance

    def __getattr__(self, name):
        return getattr(self._instance, name)

    def __dir__(self):  # where cocotb's Bus looks
        return dir(self._instance)


class StageEnv(BlockEnv):
    """ConfigDB for it: SCOPE, an `Inside` of the engine; ACTIVE false."""

    PREDICTOR, COVERAGE = StagePredictor, StageCoverage

    def streams(self):
        cfg = self.cdb_get("CFG")
        return {stage: Stream(**{field: sint(cfg.f_bits) for field in probe.values}) for stage, probe in STAGES.items()}
