"""divide against golden.fixed.attention.divide, in Verilog and in MyHDL's simulation."""
import random
from dataclasses import replace
from itertools import product

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.attention import divide as golden_divide
from llama2_myhdl.rtl.attention.divide import EARLY, INTERVAL, LATENCY, divide, ports
from llama2_myhdl.rtl.attention.lazy import STEP
from llama2_myhdl.rtl.attention.weighted_sum import den_bits, lanes_a_group, num_bits
from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import PRESETS
from tb.lanes import packed, unpacked
from tb.myhdl_sim import simulate

BUILDS = ((16, 2), (512, 10), (2048, 40))  # context, lanes: one group; three; seven of six lanes; the last one smaller
OUTPUTS = ("valid", "data", "second", "last", "clipped0", "clipped1")
HEADS = 30  # of each dimension
WAITING = 4  # reciprocals that may wait


def build(context, lanes):
    return replace(PRESETS["default"].build, max_head_dim=lanes, max_seq=context, max_heads=WAITING)


def dimensions(lanes):
    """Head dimensions around the groups' and the longest ones."""
    return [dim for dim in (2, 4, 6, 8, 10, 12, 14, lanes - 2, lanes) if 0 < dim <= lanes]


def pairs_of(lanes):
    """Pairs in a test of that many lanes."""
    return HEADS * sum(dimensions(lanes)) // 2


def heads(rng, cfg, dim):
    """Random and extreme sums: first both limits of each, with the largest scales."""
    high_den, low_den, high = 1 << den_bits(cfg) - 1, 1 << cfg.p_frac - 1, 1 << num_bits(cfg) - 1
    corners = [(den, [(-high, high - 1)[(i + first) % 2] for i in range(dim)], STEP - 1, STEP - 1, gap)
               for den, first, gap in product((low_den, high_den), (0, 1), (0, 31))]
    for n in range(HEADS):
        if n < len(corners):
            yield corners[n]
            continue
        limit = 1 << rng.randint(1, num_bits(cfg) - 1)
        den = rng.choice((low_den, 1 << cfg.p_frac, high_den, rng.randint(low_den, high_den)))
        num = [rng.choice((-limit, limit - 1, 0, rng.randint(-limit, limit - 1))) for _ in range(dim)]
        yield den, num, rng.randrange(STEP), rng.randrange(STEP), rng.choice((0, 31, rng.randint(0, 24)))


def stimulus(context, lanes):
    """(inputs of each cycle, wanted pairs as dicts, cycle of each pair).

    Numerators come as close as they may, with rests now and then; each den_load anywhere between as early and as late
    as it may.
    """
    cfg, rng = build(context, lanes), random.Random(context)
    idle = dict(rst=0, den_load=0, den=1, scale_den=0, num_load=0, num=0, scale_num=0, gap=0, head_dim=lanes)
    cycles, wanted, moments, ahead = [dict(idle, rst=1) for _ in range(3)], [], [], 0
    for dim in dimensions(lanes):  # the shape changes only when nothing is inside
        begin, leads, loads = len(cycles), [], []
        cycles += [dict(idle, head_dim=dim) for _ in range(HEADS * (dim + 10) + LATENCY + EARLY)]
        now = begin + EARLY + 3
        for n, (den, num, scale_num, scale_den, gap) in enumerate(heads(rng, cfg, dim)):
            # a reciprocal is there EARLY cycles after its load: by then all but WAITING of those before are in use
            low = max([begin, *[t + 1 for t in leads[-1:]], *[t + 1 - EARLY for t in loads[-WAITING:-WAITING + 1]]])
            lead = {0: low, 1: now - EARLY}.get(n // 3 % 3, rng.randint(low, now - EARLY))
            cycles[lead].update(den_load=1, den=(den << scale_den) + rng.randrange(1 << scale_den), scale_den=scale_den)
            sums = [(x << scale_num) + rng.randrange(1 << scale_num) for x in num]
            sums += [rng.randint(-(1 << 20), 1 << 20) for _ in range(lanes - dim)]  # must not be seen
            cycles[now].update(num_load=1, num=packed(sums, num_bits(cfg) + STEP - 1), scale_num=scale_num, gap=gap)
            ahead = max(ahead, sum(t > lead for t in loads) + 1)
            leads.append(lead)
            loads.append(now)
            pairs = [(golden_divide(np.array([x]), den, gap, stats := Tally())[0], stats.count) for x in num]
            for i in range(0, dim, 2):
                (y0, clipped0), (y1, clipped1) = pairs[i:i + 2]
                wanted.append(dict(valid=1, data=int(y0), second=int(y1), last=int(i == dim - 2), clipped0=clipped0,
                                   clipped1=clipped1))
                moments.append(now + LATENCY + i // 2)
            now += max(dim // 2, INTERVAL) + (0, 0, 0, rng.randint(0, 12))[n % 4]
        del cycles[now + LATENCY:]
    assert 0 < sum(w["clipped0"] + w["clipped1"] for w in wanted) < len(wanted)
    assert ahead > 2
    return skewed(cycles, num_bits(cfg) + STEP - 1, lanes), wanted, moments


def skewed(cycles, bits, lanes):
    """The lanes of `num` as `weighted_sum` gives them: one group after the other."""
    sums, size = [unpacked(c["num"], bits, lanes) for c in cycles], lanes_a_group(lanes)
    return [dict(c, num=packed([sums[max(t - i // size, 0)][i] for i in range(lanes)], bits))
            for t, c in enumerate(cycles)]


@pytest.mark.parametrize("context, lanes", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_divide(sim, context, lanes):
    parameters = dict(context=context, lanes=lanes)
    run(divide, ports(build(context, lanes)), __name__, sim, parameters=parameters, testcase="all_vectors", tests=1)


@pytest.mark.parametrize("context, lanes", BUILDS)
def test_divide_myhdl(context, lanes):
    cycles, wanted, moments = stimulus(context, lanes)
    found = simulate(divide, ports(build(context, lanes)), cycles, OUTPUTS, 0)
    assert [t for t, v in enumerate(found) if v["valid"]] == moments
    assert [v for v in found if v["valid"]] == wanted
    assert len(wanted) == pairs_of(lanes)


def loads_at(den_at, num_at, count):
    """Inputs of `count` heads of one pair, their loads from these cycles after reset on, one a cycle."""
    cfg = build(16, 4)
    idle = dict(rst=0, den_load=0, den=1 << cfg.p_frac, scale_den=0, num_load=0, num=0, scale_num=0, gap=0, head_dim=2)
    cycles = [dict(idle, rst=1)] * 3 + [dict(idle) for _ in range(max(den_at, num_at) + count + LATENCY)]
    for n in range(count):
        cycles[3 + den_at + n]["den_load"] = 1
        cycles[3 + num_at + n]["num_load"] = 1
    return cycles


LIMITS = [  # cycles of the first loads, heads, and the check that fires
    (0, EARLY, 1, None),
    (0, EARLY - 1, 1, "denominator: a head was taken before its reciprocal was there"),
    (0, EARLY + WAITING - 1, WAITING + 1, None),
    (0, EARLY + WAITING, WAITING + 1, "denominator: more heads wait than there is room for"),
]
OVERRUN = "serialise: a head was loaded before the last pair of the one before"


@pytest.mark.parametrize("den_at, num_at, count, fault", LIMITS)
def test_limits(den_at, num_at, count, fault):
    """The earliest numerator and the most reciprocals are fine; one more ends the simulation."""
    cycles = loads_at(den_at, num_at, count)
    if fault is None:
        assert sum(v["valid"] for v in simulate(divide, ports(build(16, 4)), cycles, OUTPUTS, 0)) == count
    else:
        with pytest.raises(AssertionError, match=fault):
            simulate(divide, ports(build(16, 4)), cycles, OUTPUTS, 0)


def test_overrun():
    """The numerator of a head that comes while the one before still has pairs ends the simulation."""
    cycles = [dict(c, head_dim=4) for c in loads_at(0, EARLY, 2)]
    with pytest.raises(AssertionError, match=OVERRUN):
        simulate(divide, ports(build(16, 4)), cycles, OUTPUTS, 0)


@pytest.mark.parametrize("den_at, num_at, count, head_dim, fault", [
    *((*limits, 2, fault) for *limits, fault in LIMITS), (0, EARLY, 2, 4, OVERRUN),
])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_limits_in_verilog(sim, den_at, num_at, count, head_dim, fault):
    """The same checks, in both simulators."""
    parameters = dict(den_at=den_at, num_at=num_at, count=count, head_dim=head_dim)
    arguments = divide, ports(build(16, 4)), __name__, sim
    if fault is None:
        run(*arguments, parameters=parameters, testcase="heads_at", tests=1)
    else:
        with pytest.raises(AssertionError, match=fault):
            run(*arguments, parameters=parameters, testcase="heads_at")


def test_reset():
    """A head on its way out and two that wait are dropped."""
    before = loads_at(0, EARLY + 3, 3)[:EARLY + 7]
    cycles, wanted, moments = stimulus(16, 4)
    assert sum(c["den_load"] for c in before) == 3 and sum(c["num_load"] for c in before) == 1
    found = simulate(divide, ports(build(16, 4)), before + cycles, OUTPUTS, 0)
    assert [t - len(before) for t, v in enumerate(found) if v["valid"]] == moments
    assert [v for v in found if v["valid"]] == wanted


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_vectors(dut):
    parameters = test_parameters()
    cycles, wanted, moments = stimulus(**parameters)
    start_clock(dut)
    found, times = [], []
    await RisingEdge(dut.clk)
    for t, inputs in enumerate(cycles):
        for name, value in inputs.items():
            getattr(dut, name).value = value
        await RisingEdge(dut.clk)
        if t > 3 and int(dut.valid.value):
            found.append(dict(valid=1, data=dut.data.value.to_signed(), second=dut.second.value.to_signed(),
                              last=int(dut.last.value), clipped0=int(dut.clipped0.value),
                              clipped1=int(dut.clipped1.value)))
            times.append(t)
    assert times == moments
    assert found == wanted
    assert len(found) == pairs_of(parameters["lanes"])
    assert found[1:] != wanted[:-1]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def heads_at(dut):
    """Loads at given cycles; as many pairs as heads come out."""
    p = test_parameters()
    head_dim, valid = p.pop("head_dim"), 0
    start_clock(dut)
    await RisingEdge(dut.clk)
    for t, inputs in enumerate(loads_at(**p)):
        for name, value in dict(inputs, head_dim=head_dim).items():
            getattr(dut, name).value = value
        await RisingEdge(dut.clk)
        valid += t > 3 and int(dut.valid.value)
    assert valid == p["count"]
