"""softmax against the recurrence of golden.fixed.attention, timestep for timestep, in Verilog and in MyHDL."""
import random
from dataclasses import replace

import cocotb
import numpy as np
import pytest

from golden.fixed.attention import MAX_SHIFT, _weights
from rtl.attention.lazy import CLEAR, SCALE_BITS, STEP, STEP_BITS
from rtl.attention.softmax import LATENCY, softmax
from rtl.config import PRESETS, SCORE_FRAC
from rtl.stream.stream import bit, sint, uint
from rtl.tables import exp2_table
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.runner import SIMULATORS, run, test_parameters

LOW, HIGH = -(1 << 19), (1 << 19) - 1
OUTPUTS = ("p_num", "scale_num", "step_num", "p_den", "scale_den", "step_den", "gap")
CONTEXTS = (512, 2048)  # 16 and 18 fraction bits


def arguments(context):
    cfg = replace(PRESETS["default"].build, max_seq=context)
    return dict(clk=bit(), valid=bit(), first=bit(), s=sint(cfg.score_bits), ve=uint(5), p_num=uint(cfg.p_frac + 1),
                scale_num=uint(SCALE_BITS), step_num=uint(STEP_BITS), p_den=uint(cfg.p_frac + 1),
                scale_den=uint(SCALE_BITS), step_den=uint(STEP_BITS), gap=uint(5), CFG=cfg)


def heads():
    """(scores, value exponents) of heads: extremes, steady growth and fall, jumps, one timestep only."""
    rng = random.Random(9)
    yield [LOW], [0]
    yield [HIGH], [31]
    yield [LOW, HIGH, LOW, HIGH, HIGH - 1, LOW + 1], [31, 0, 31, 0, 31, 31]
    yield list(range(-3000, 6000, 150)), list(range(30)) * 2
    yield list(range(6000, -3000, -150)), list(range(30)) * 2
    yield [0] * 20, [0] * 20
    for spread in (300, 3000, 20000, HIGH):
        for _ in range(12):
            count = rng.randint(1, 40)
            yield [rng.randint(-spread, spread) for _ in range(count)], [rng.randint(0, 31) for _ in range(count)]


def lazily(growth):
    """scale and step of each timestep from the reference's growth (lazy.py); the first one clears."""
    scale, found = 0, [(0, CLEAR)]
    for n in growth[1:]:
        total = scale + min(int(n), MAX_SHIFT)
        scale = total % STEP
        found.append((scale, total // STEP))
    return found


def vectors(p_frac):
    """Timesteps of all heads with idle cycles between some; `wanted` is None where there is nothing to compare."""
    table, inputs, wanted = np.array(exp2_table(p_frac)), [], []
    for n, (s, ve) in enumerate(heads()):
        s, ve = np.array(s), np.array(ve)
        c = s + (1 << SCORE_FRAC) - 1 >> SCORE_FRAC
        f = (c << SCORE_FRAC) - s
        m, r = np.maximum.accumulate(c), np.maximum.accumulate(c + ve)
        p_den, p_num = _weights(table, f, m - c), _weights(table, f, r - c - ve)
        num, den = lazily(np.diff(r, prepend=r[0])), lazily(np.diff(m, prepend=m[0]))
        for t in range(len(s)):
            inputs.append(dict(valid=1, first=int(t == 0), s=int(s[t]), ve=int(ve[t])))
            values = (p_num[t], *num[t], p_den[t], *den[t], r[t] - m[t])
            wanted.append(dict(zip(OUTPUTS, map(int, values))))
        for _ in range(n % 3):
            inputs.append(dict(valid=0, first=0, s=HIGH, ve=31))
            wanted.append(None)
    return inputs, wanted


def compared(found, wanted):
    """How many timesteps agree; AssertionError at the first that does not."""
    pairs = [(t, a, b) for t, (a, b) in enumerate(zip(found, wanted)) if b is not None]
    for t, a, b in pairs:
        assert a == b, f"timestep {t}"
    return len(pairs)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_softmax(sim, context):
    run(softmax, arguments(context), __name__, sim, parameters=dict(context=context), tests=1)


@pytest.mark.parametrize("context", CONTEXTS)
def test_softmax_myhdl(context):
    inputs, wanted = vectors(arguments(context)["CFG"].p_frac)
    found = simulate(softmax, arguments(context), inputs, OUTPUTS, LATENCY)
    assert compared(found, wanted) == sum(v["valid"] for v in inputs) > 900


def test_compared_can_fail():
    with pytest.raises(AssertionError, match="timestep 1"):
        compared([dict(p=1), dict(p=3)], [dict(p=1), dict(p=2)])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    inputs, wanted = vectors(arguments(test_parameters()["context"])["CFG"].p_frac)
    # what the registers hold before the first timestep may be X
    outputs = dict.fromkeys(OUTPUTS, False)
    found = await apply(dut, inputs, outputs, LATENCY)
    assert compared(found, wanted) == sum(v["valid"] for v in inputs) > 900
    assert [b for b in wanted if b][1:] != [b for b in wanted if b][:-1]
