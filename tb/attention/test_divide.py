"""divide against golden.fixed.attention.divide, in Verilog and in MyHDL's simulation."""
import random
from dataclasses import replace

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge

from golden.fixed.arith import Saturations
from golden.fixed.attention import divide as golden_divide
from rtl.attention.divide import INTERVAL, LATENCY, divide
from rtl.attention.lazy import SCALE_BITS, STEP
from rtl.attention.weighted_sum import den_bits, lanes_a_group, num_bits
from rtl.config import PRESETS, clog2
from rtl.stream.stream import bit, sint, uint
from tb.attention.rows import packed, unpacked
from tb.clock import start_clock
from tb.myhdl_sim import simulate
from tb.runner import SIMULATORS, run, test_parameters

LANES = 6
CONTEXTS = (16, 512, 2048)
OUTPUTS = ("valid", "data", "last", "clipped")
HEADS = 150


def build(context):
    return replace(PRESETS["default"].build, max_head_dim=LANES, max_seq=context)


def arguments(context):
    cfg = build(context)
    return dict(clk=bit(), rst=bit(), load=bit(), num=uint(LANES * (num_bits(cfg) + STEP - 1)),
                scale_num=uint(SCALE_BITS), den=uint(den_bits(cfg) + STEP - 1), scale_den=uint(SCALE_BITS), gap=uint(5),
                head_dim=uint(clog2(LANES + 1)), valid=bit(), data=sint(cfg.f_bits), last=bit(), clipped=bit(), CFG=cfg)


def stimulus(context):
    """(inputs of each cycle, wanted elements as dicts, cycle of each element): heads as close as they may come."""
    cfg, rng = build(context), random.Random(context)
    top, width = den_bits(cfg) - 1, num_bits(cfg)
    idle = dict(rst=0, load=0, num=0, scale_num=0, den=1, scale_den=0, gap=0, head_dim=LANES)
    cycles, wanted, moments = [dict(idle, rst=1)] * 3, [], []
    for n in range(HEADS):
        dim = (2, 4, 6)[n * 3 // HEADS]
        if n % (HEADS // 3) == 0:  # the shape changes only when nothing is inside
            cycles += [dict(idle, head_dim=max(2, dim - 2))] * (LATENCY + LANES)
        den = rng.choice((1 << cfg.p_frac - 1, 1 << cfg.p_frac, 1 << top, rng.randint(1 << cfg.p_frac - 1, 1 << top)))
        high = 1 << rng.randint(1, width - 1)
        num = [rng.choice((-high, high - 1, 0, rng.randint(-high, high - 1))) for _ in range(dim)]
        scale_num, scale_den, gap = rng.randrange(STEP), rng.randrange(STEP), rng.choice((0, 31, rng.randint(0, 24)))
        lanes = [(x << scale_num) + rng.randrange(1 << scale_num) for x in num] + [0] * (LANES - dim)
        begin = len(cycles)
        cycles.append(dict(rst=0, load=1, num=packed(lanes, width + STEP - 1), scale_num=scale_num, gap=gap,
                           den=(den << scale_den) + rng.randrange(1 << scale_den), scale_den=scale_den, head_dim=dim))
        cycles += [dict(idle, head_dim=dim)] * (max(dim, INTERVAL) - 1 + (0, 0, 3)[n % 3])
        for i, x in enumerate(num):
            stats = Saturations()
            y = int(golden_divide(np.array([x]), den, gap, stats)[0])
            wanted.append(dict(valid=1, data=y, last=int(i == dim - 1), clipped=stats.count))
            moments.append(begin + LATENCY + i)
    assert 0 < sum(w["clipped"] for w in wanted) < len(wanted)
    cycles += [dict(idle, head_dim=LANES)] * (LATENCY + LANES)
    return skewed(cycles, width + STEP - 1), wanted, moments


def skewed(cycles, bits):
    """The lanes of `num` as `weighted_sum` gives them: one group after the other."""
    lanes, size = [unpacked(c["num"], bits, LANES) for c in cycles], lanes_a_group(LANES)
    return [dict(c, num=packed([lanes[max(t - i // size, 0)][i] for i in range(LANES)], bits))
            for t, c in enumerate(cycles)]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_divide(sim, context):
    run(divide, arguments(context), __name__, sim, parameters=dict(context=context), tests=1)


@pytest.mark.parametrize("context", CONTEXTS)
def test_divide_myhdl(context):
    cycles, wanted, moments = stimulus(context)
    found = simulate(divide, arguments(context), cycles, OUTPUTS, 0)
    assert [t for t, v in enumerate(found) if v["valid"]] == moments
    assert [v for v in found if v["valid"]] == wanted
    assert len(wanted) == HEADS * 4


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    cycles, wanted, moments = stimulus(test_parameters()["context"])
    start_clock(dut)
    found, times = [], []
    await RisingEdge(dut.clk)
    for t, inputs in enumerate(cycles):
        for name, value in inputs.items():
            getattr(dut, name).value = value
        await RisingEdge(dut.clk)
        if t > 3 and int(dut.valid.value):
            found.append(dict(valid=1, data=dut.data.value.to_signed(), last=int(dut.last.value),
                              clipped=int(dut.clipped.value)))
            times.append(t)
    assert times == moments
    assert found == wanted
    assert len(found) == HEADS * 4
    assert found[1:] != wanted[:-1]
