"""Builds of the whole decoder with one engine and several, each with a model."""

from dataclasses import replace

from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import preset
from tb.sim.models import BUILD

NANO = preset("nano").build
NANO16 = replace(NANO, weight_bits=16)
# layers that the engines divide and do not divide; one engine more than the smallest share
BUILDS = {
    "one engine, four sequences": (BUILD, ModelShape(16, 24, 2, 4, 2, 32, 16)),
    "two engines for three layers": (
        replace(NANO, max_layers=3, engines=2, sequences=4),
        ModelShape(16, 24, 3, 4, 2, 32, 16),
    ),
    "an engine a layer": (
        replace(NANO, max_layers=3, engines=3, sequences=2),
        ModelShape(8, 22, 3, 2, 2, 29, 16),
    ),
}
LONG = [(name, "verilator") for name in BUILDS if "verilator" in SIMULATORS]  # many cycles: the fast simulator
