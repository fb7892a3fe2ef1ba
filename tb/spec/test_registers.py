"""The rules of the boot registers agree with the model's shape and its program, and their limits with the memories."""

import random

import pytest

from llama2_myhdl.rtl.boot.derive import value_bits
from llama2_myhdl.spec.presets import PRESETS, build_of
from llama2_myhdl.spec.program import max_head_beats, max_layer_beats, tape_depth
from llama2_myhdl.spec.registers import REGISTERS, register_limits, register_values, rules
from tb.boot.images import derived, random_shape

BUILDS = [
    build_of(name, lanes=lanes, engines=engines)
    for name in ("nano", "default", "stories15M")
    for lanes in (4, 16, 64)
    for engines in (1, 2)
]


def test_rules_follow_the_program():
    """Every number that the shape and the program give, for random shapes of every build."""
    rng, compared = random.Random(1), 0
    for build in BUILDS:
        for _ in range(20):
            shape = random_shape(build, rng)
            values = register_values(shape, build)
            for name, value in derived(shape, build).items():
                assert values[name] == value, (name, shape)
                compared += 1
    assert compared == 11 * 20 * len(BUILDS)


def test_a_wrong_rule_is_seen():
    """A layer without one of its matrices is another number."""
    build, shape = BUILDS[0], PRESETS["nano"].shape
    layer = rules(build)["layer_beats"]
    values = register_values(shape, build)
    for k in range(len(layer.terms)):
        shorter = type(layer)(layer.terms[:k] + layer.terms[k + 1 :], layer.offset, layer.shift)
        assert shorter.value(values) != derived(shape, build)["layer_beats"]


@pytest.mark.parametrize("name", PRESETS)
def test_limits(name):
    """What is within its limits fits the memories and the width of the sums; a preset's shape is within them."""
    for engines in {1, min(2, PRESETS[name].build.max_layers)}:
        build = build_of(name, engines=engines)
        limits, values = register_limits(build), register_values(PRESETS[name].shape, build)
        assert limits.keys() == values.keys() == {*REGISTERS, *rules(build)}
        for register, (low, high) in limits.items():
            assert low <= values[register] <= high, register
        assert limits["layer_beats"][1] == max_layer_beats(build)
        assert limits["head_beats"][1] == max_head_beats(build)
        assert limits["layers_low"][1] * limits["layer_beats"][1] <= tape_depth(build)
        assert all(high < 1 << value_bits(build) for register, (_, high) in limits.items() if register in rules(build))
