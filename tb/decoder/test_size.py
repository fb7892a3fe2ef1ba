"""The Verilog of a large model: as long, and of as many Signals, as that of a small one with the same lanes."""

from dataclasses import replace

import pytest
from myhdl._Signal import _Signal

from llama2_myhdl.hdl.hierarchy import convert
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.presets import build_for, in_memory, preset

SMALL = ModelShape(1024, 2816, 4, 8, 4, 1000, 64)  # heads as long as those of the large ones
LANES, BUS = 64, 512
SMALL_BUILD = build_for(SMALL, lanes=LANES, **in_memory(BUS), cache=ReadMaster(data_bits=BUS))
# modules, lines, Signals: a deep memory has more banks than a shallow one, by the logarithm of its depth
MARGINS = 0.03, 0.03, 0.25

pytestmark = pytest.mark.bus  # a quarter of a minute of CPU time each


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Modules, lines of Verilog and Signals of a build; each once."""
    known = {}

    def measure(build):
        if build not in known:
            signals, begin = 0, _Signal.__init__

            def count(self, *args, **kwargs):
                nonlocal signals
                signals += 1
                begin(self, *args, **kwargs)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(_Signal, "__init__", count)
                modules = convert(decoder, tmp_path_factory.mktemp("verilog"), **ports(build))
            lines = sum(len(module.file.read_text().splitlines()) for module in modules)
            known[build] = len(modules), lines, signals
        return known[build]

    return measure


@pytest.mark.parametrize("name", ["llama2-7B-bus", "llama3-8B-bus", "llama2-70B-bus"])
def test_nothing_grows_with_the_model(made, name):
    small, large = made(SMALL_BUILD), made(preset(name).build)
    for few, many, margin in zip(small, large, MARGINS, strict=True):
        assert 0 < many <= few * (1 + margin), (small, large)


def test_that_lanes_are_seen_to_grow(made):
    """The measure is none that cannot fail: fewer lanes are fewer lines and Signals."""
    (_, *many), (_, *few) = made(SMALL_BUILD), made(replace(SMALL_BUILD, lanes=LANES // 4))
    assert all(more > less for more, less in zip(many, few, strict=True))
