"""The builds that are stressed: one to three engines, one to four sequences, other lanes and attention units."""

from dataclasses import dataclass, replace

import pytest

from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import build_of
from tb.decoder.builds import BUILDS as WAVEFRONTS

NANO = build_of("nano")
SHAPE, DEEP = ModelShape(16, 24, 2, 4, 2, 27, 16), ModelShape(12, 22, 3, 3, 1, 29, 13)  # two and three layers

# compiled by other tests too
ONE = WAVEFRONTS["one engine, four sequences"][0]
TWO = WAVEFRONTS["two engines for three layers"][0]
THREE = WAVEFRONTS["an engine a layer"][0]
WIDE = replace(NANO, lanes=8, max_dim=48, max_heads=8, attention_units=2, attention_queries=2, sequences=2)
# only where the full numbers are run
FOUR_FOLD = replace(THREE, sequences=4)
TWO_ALONE, THREE_ALONE = replace(TWO, sequences=1), replace(THREE, sequences=1)
ODD = replace(
    build_of("nano"), lanes=8, max_dim=40, max_hidden=37, max_layers=3, max_heads=5, max_kv_heads=5, max_head_dim=10,
    attention_units=3, attention_queries=3, act_bits=8, key_bits=8, list_entries=0, sequences=2,
)  # fmt: skip

fast = pytest.mark.skipif("verilator" not in SIMULATORS, reason="the stress tests run in Verilator")


@dataclass(frozen=True)
class Stressed:
    """A build, and a shape that it holds."""

    build: BuildConfig
    shape: ModelShape


MANY = {"E1": Stressed(ONE, SHAPE), "E2": Stressed(TWO, DEEP), "E3": Stressed(THREE, DEEP)}
