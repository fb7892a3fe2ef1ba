"""The loader and the model's shape: what can be, loads; every register that is not what the image says is refused."""

import random
from math import ceil

import cocotb
import pytest

from llama2_myhdl.rtl.boot import loader as loading
from llama2_myhdl.rtl.boot.loader import ShapeRegisters, loader, ports
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.registers import KIND, REGISTERS, WORD, register_limits
from tb.boot.images import FREE, Image, derived, good, random_shape, verdict, words
from tb.boot.loader_bench import BUILDS, LoaderBench

# other head ratios than the build's own; two of each build, so that what one does not notice the other does
SHAPES = {
    "nano": (ModelShape(12, 22, 1, 3, 1, 20, 15), ModelShape(8, 5, 2, 2, 2, 7, 7)),
    "weights_of_16_bits": (ModelShape(12, 22, 1, 3, 1, 20, 15), ModelShape(8, 5, 2, 2, 2, 7, 7)),
    "two_engines": (ModelShape(8, 10, 2, 4, 1, 6, 15), ModelShape(16, 3, 2, 4, 2, 9, 16)),
    "eight_lanes": (ModelShape(20, 11, 1, 5, 5, 6, 15), ModelShape(32, 3, 2, 4, 2, 7, 3)),
    "three_engines": (ModelShape(12, 5, 5, 3, 3, 6, 15), ModelShape(8, 7, 7, 4, 1, 11, 15)),
}
RANDOM_SHAPES = 15  # of each build, in each simulator


@pytest.mark.long_runs
@pytest.mark.parametrize("sim", SIMULATORS)
@pytest.mark.parametrize("name", BUILDS)
def test_loader_shapes(sim, name):
    run(loader, ports(BUILDS[name]), __name__, sim, tests=2, parameters=dict(build=name))


@pytest.mark.parametrize("sim", SIMULATORS)
def test_a_loader_without_limits_is_caught(sim, monkeypatch):
    """A loader that does not check the products of a shape's numbers fails the tests above."""
    build = BUILDS["nano"]
    pins, limits = ports(build), register_limits(build)
    unchecked = {name: (0, (1 << WORD) - 1) for name in ("n_heads", "kv_dim", "dim", "n_layers")}
    monkeypatch.setattr(loading, "register_limits", lambda _: limits | unchecked)
    with pytest.raises(AssertionError, match="2 cocotb tests did not pass|1 of 2 cocotb tests did not pass"):
        run(loader, pins, __name__, sim, name="unchecked", tests=2, parameters=dict(build="nano"))


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def every_shape_loads(dut):
    """Random models: registers, frequencies and payload as the model's shape and program have them."""
    build = BUILDS[test_parameters()["build"]]
    bench, rng = LoaderBench(dut, build, 0.05), random.Random(3)
    for _ in range(RANDOM_SHAPES):
        shape = random_shape(build, rng)
        image = good(shape, build)
        beats = image.beats(build, rng)
        assert verdict(image, build) == errors.NONE
        assert await bench.boot(beats) == errors.NONE, shape
        expected = image.registers | derived(shape, build)
        for name in ShapeRegisters.NAMES:
            assert int(getattr(dut, f"shape_{name}").value) == expected[name], (name, shape)
        front = len(REGISTERS)
        sent = [beat["data"] for beat in words(beats)]
        assert bench.writes[-1][0] == shape.head_dim // 2 - 1
        assert dict(bench.writes) == {k: sent[front + k] & 0xFFFFFFFF for k in range(shape.head_dim // 2)}
        assert [beat["data"] for beat in bench.payload.queue] == sent[front + image.frequencies : -1], shape
        assert [k for k, beat in enumerate(bench.payload.queue) if beat["last"]] == [image.payload - 1]


def others(name, value, build):
    """Values that the register could have instead."""
    low, high = register_limits(build)[name]
    near = {0, value - 1, value + 1, 2 * value, ceil(value / 2), low, high, low - 1, high + 1, (1 << WORD) - 1}
    return sorted(x for x in near if 0 <= x < 1 << WORD and x != value)


@cocotb.test(timeout_time=200, timeout_unit="ms")
async def one_register_changed(dut):
    """Each register alone, with a right checksum: the image is read to its end and gets the code that it deserves.

    Only a register that no beat depends on may change and be loaded. A good image behind the refused ones loads.
    """
    build = BUILDS[test_parameters()["build"]]
    bench, rng, seen = LoaderBench(dut, build), random.Random(4), set()
    for shape in SHAPES[test_parameters()["build"]]:
        right = good(shape, build)
        for name in REGISTERS:
            for value in others(name, right.registers[name], build):
                image = Image(right.registers | {name: value}, right.frequencies, right.payload)
                beats, code, before = image.beats(build, rng), verdict(image, build), bench.source.sent
                assert await bench.boot(beats) == code, (name, value, shape)
                assert bench.source.sent - before == len(beats)
                seen.add((name, code))
            assert await bench.boot(right.beats(build, rng)) == errors.NONE, name
    assert {name for name, code in seen if code == errors.BAD_IMAGE} == set(KIND)
    assert {name for name, code in seen if code == errors.NONE} == set(FREE)
    limited = set(REGISTERS) - set(KIND) - set(FREE)
    assert {name for name, code in seen if code == errors.BAD_SHAPE} == limited | set(FREE)
    assert {name for name, code in seen if code == errors.BAD_LENGTH} >= {"hidden_dim", "vocab_size"}
