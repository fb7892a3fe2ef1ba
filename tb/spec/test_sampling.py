"""Settings of the sampler: the registers that they make, their widths, and one line for those that are not legal."""

from dataclasses import replace
from math import e, inf, log2, nan

import pytest

from llama2_myhdl.spec import sampling
from llama2_myhdl.spec.sampling import FLOOR_OFF, LN2, LN_DIGITS, P_OFF, Registers, Sampling

WIDTHS = dict(
    greedy=1,
    scale=sampling.SCALE_BITS,
    shift=sampling.SHIFT_BITS,
    k=sampling.K_BITS,
    p=sampling.P_BITS,
    floor=sampling.FLOOR_BITS,
    seed=sampling.SEED_BITS,
)
LEGAL = [
    Sampling(),
    Sampling(1 / 64, 64, 1.0, 1.0, 2**32 - 1, 2**32 - 1),
    Sampling(1024, 1, 0.0, 5e-324),
    Sampling(0.7, 40, 0.9, 0.05, 1, 2),
]


def test_defaults_are_greedy_and_cut_nothing_off():
    registers = Sampling().registers()
    assert registers.greedy == 1 and registers.whole and registers.seed == 0
    assert (registers.scale, registers.shift) == (29012, 20)  # of temperature 1: 1.442688 for log2(e)
    assert replace(Sampling(1.0).registers(), greedy=1) == registers


@pytest.mark.parametrize("settings", LEGAL)
def test_registers_fit_their_widths(settings):
    registers = settings.registers()
    assert vars(registers).keys() == WIDTHS.keys()
    for name, value in vars(registers).items():
        assert type(value) is int and 0 <= value < 1 << WIDTHS[name], name
    assert registers.fault() is None


@pytest.mark.parametrize("temperature", [1 / 64, 0.1, 0.5, 0.7, 1, 1.3, 2, 100, 1024])
def test_temperature(temperature):
    registers = Sampling(temperature).registers()
    value = registers.multiplier * 2.0 ** (4 - registers.shift)
    assert value == pytest.approx(log2(e) / temperature, rel=2**-17)
    assert sampling.SHIFT_MIN <= registers.shift <= sampling.SHIFT_MAX


def test_the_ends_of_the_shift():
    assert Sampling(1 / 64).registers().shift == sampling.SHIFT_MIN
    assert Sampling(1024).registers().shift == sampling.SHIFT_MAX


def test_a_carry_moves_the_shift():
    """Just below a power of two: it is rounded to that, one shift less."""
    just_below = log2(e) / (2 - 2**-20)
    assert (Sampling(just_below).registers().scale, Sampling(just_below).registers().shift) == (0, 19)
    below = log2(e) / (2 - 2**-16)
    assert (Sampling(below).registers().scale, Sampling(below).registers().shift) == (65535, 20)


def test_what_is_cut_off():
    registers = Sampling(1, 3, 0.9, 0.25, seed=5, stream=7).registers()
    assert (registers.k, registers.p, registers.floor) == (3, round(0.9 * 65536), 2 << 16)
    assert registers.seed == 7 << 32 | 5 and registers.key == (5, 7)
    for settings in (Sampling(1, top_k=3), Sampling(1, top_p=0.5), Sampling(1, min_p=0.5)):
        assert not settings.registers().whole
    assert Sampling(1, min_p=1.0).registers().floor == 0
    assert Sampling(1, min_p=2.0**-31).registers().floor == 31 << 16
    assert Sampling(1, min_p=2.0**-32).registers().floor == FLOOR_OFF  # less than the register can say


@pytest.mark.parametrize(
    ("name", "values", "limits"),
    [
        ("temperature", (-1, 1 / 65, 1025, nan, inf, "1", None), "0 (greedy) or 0.015625 to 1024.0"),
        ("top_k", (-1, 65, 1.0, nan, None), "a whole number from 0 to 64"),
        ("top_p", (-0.1, 1.1, nan, inf, "x\ny"), "0 to 1"),
        ("min_p", (-0.1, 1.1, nan, None), "0 to 1"),
        ("seed", (-1, 2**32, 0.5), "a whole number from 0 to 4294967295"),
        ("stream", (-1, 2**32, nan), "a whole number from 0 to 4294967295"),
    ],
)
def test_illegal_settings(name, values, limits):
    for value in values:
        with pytest.raises(ValueError) as refused:
            Sampling(**{"temperature": 1.0, name: value})
        assert str(refused.value) == f"{name} must be {limits}, is {value!r}"


@pytest.mark.parametrize(
    ("change", "entries", "name"),
    [
        (dict(shift=13), 64, "shift"),
        (dict(shift=31), 64, "shift"),
        (dict(k=65), 64, "k"),
        (dict(k=9), 8, "k"),
        (dict(k=8), 8, None),
        (dict(p=P_OFF + 1), 64, "p"),
        (dict(shift=31, p=P_OFF + 1), 64, "shift"),
    ],
)
def test_what_the_hardware_refuses(change, entries, name):
    legal = Registers(greedy=0, scale=0, shift=20, k=0, p=P_OFF, floor=FLOOR_OFF, seed=0)
    assert replace(legal, **change).fault(entries) == name


def test_constants():
    assert LN2 == 726817
    assert LN_DIGITS[1:4] == (425161, 233983, 123504) and LN_DIGITS[20] == 1 and len(LN_DIGITS) == 21
