"""The read master before a memory: every beat of every region, in order, at any pace; errors stop it, cleanly."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.axi.read_master import MOST_REGIONS, ports, read_master
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.axi import DECERR, SLVERR, ReadMaster
from llama2_myhdl.spec.errors import BAD_WINDOW, DECODE_ERROR, NONE, SLAVE_ERROR
from tb.axi.tapes import Tapes
from tb.hdl.planted import Planted

MOST_BEATS = 5000
# bus, beat: words of many beats, of two, of one; beats of two words, of many
RATIOS = [(64, 32), (64, 64), (64, 512), (128, 32), (128, 128), (128, 256), (512, 32), (512, 512), (512, 1024)]
WIDEST = [(64, 512), (512, 32)]  # what the second simulator sees
QUICK = [(64, 512), (128, 32), (128, 128)]  # in make test, in one simulator; the others take a minute
TRAFFIC = ["calm", "stormy", "interleaved"]
SMALL = dict(burst=16, depth=64, outstanding=4)


def _arguments(data_bits, beat_bits, regions=2, **sizes):
    axi = ReadMaster(data_bits=data_bits, **sizes)
    return ports(axi, beat_bits, MOST_BEATS, regions)


def _simulate(sim, testcase, data_bits, beat_bits, regions=2, through=None, **sizes):
    given = dict(data_bits=data_bits, beat_bits=beat_bits, regions=regions, sizes=sizes)
    arguments = _arguments(data_bits, beat_bits, regions, **sizes)
    run(read_master, arguments, __name__, sim, parameters=given, testcase=testcase, through=through)


@pytest.mark.parametrize(
    "sim, data_bits, beat_bits",
    [
        pytest.param(sim, *ratio, marks=() if sim == SIMULATORS[0] and ratio in QUICK else pytest.mark.bus)
        for sim in SIMULATORS
        for ratio in RATIOS
        if sim == SIMULATORS[0] or ratio in WIDEST
    ],
)
def test_ratios(sim, data_bits, beat_bits):
    _simulate(sim, TRAFFIC, data_bits, beat_bits, **SMALL)


@pytest.mark.parametrize("sim, regions", [(SIMULATORS[0], 1), (SIMULATORS[-1], 3)])
def test_regions(sim, regions):
    _simulate(sim, TRAFFIC, 64, 32, regions, **SMALL)


@pytest.mark.parametrize("sim", SIMULATORS[-1:])
def test_errors(sim):
    _simulate(sim, ["any_beat_may_fail", "windows"], 64, 32, **SMALL)


@pytest.mark.parametrize("data_bits, beat_bits", [(128, 128), (64, 512), (512, 512)])
@pytest.mark.parametrize("sim", SIMULATORS[-1:])
def test_efficiency(sim, data_bits, beat_bits):
    _simulate(sim, ["efficiency", "efficiency_with_refresh"], data_bits, beat_bits)


LATE, LIMIT, HELD = "crosses 4096 bytes", "bursts under way, at most 4", "was offered and not taken"
BROKEN = {  # each rule of the addresses by a fault in what keeps it
    LATE: Planted("bursts", "assign to_edge = LAST - ", "assign to_edge = LAST | "),
    LIMIT: Planted("under_way", "room <= (count != LAST) && !stop;", "room <= !stop;"),
    HELD: Planted("turns", "else if (m_ready) begin", "else begin"),
}


@pytest.mark.parametrize("words", BROKEN)
@pytest.mark.parametrize("sim", SIMULATORS[:1])
def test_a_broken_rule_is_seen(sim, words):
    """By the monitor that is live beside the memory."""
    with pytest.raises(AssertionError, match=words):
        _simulate(sim, "stormy", 128, 128, through=BROKEN[words], burst=256, depth=512, outstanding=4)


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(data_bits=32), "axi data_bits: must be a power of two, 64 to 512, is 32"),
        (dict(data_bits=96), "axi data_bits: must be a power of two, 64 to 512, is 96"),
        (dict(address_bits=31), "axi address_bits: must be 32 to 64, is 31"),
        (dict(burst=512), "axi burst: must be a power of two, 2 to 256, is 512"),
        (dict(data_bits=512, burst=128), "axi burst: must be a power of two, 2 to 64, is 128"),
        (dict(burst=64, depth=127), "axi depth: must be 128 to 65536, is 127"),
        (dict(outstanding=1), "axi outstanding: must be 2 to 64, is 1"),
        (dict(outstanding=True), "axi outstanding: must be 2 to 64, is True"),
    ],
)
def test_sizes_are_checked(changes, words):
    with pytest.raises(ValueError, match=words):
        ReadMaster(**changes)


def test_beats_and_regions_are_checked():
    with pytest.raises(ValueError, match="tape beat_bits: must be a power of two, 8 to 65536, is 96"):
        read_master(**_arguments(64, 96))
    for regions in (0, MOST_REGIONS + 1):
        with pytest.raises(ValueError, match=f"read_master regions: must be 1 to {MOST_REGIONS}, is {regions}"):
            read_master(**_arguments(64, 64, 2) | {"m": [None] * regions})


def _bench(dut, lengths, seed) -> Tapes:
    given = test_parameters()
    axi = ReadMaster(data_bits=given["data_bits"], **given["sizes"])
    return Tapes(dut, axi, given["beat_bits"], lengths, seed)


def _lengths(rng):
    """Beats of the regions: a few; some hundred, or words where these are narrower; in between."""
    given = test_parameters()
    words = max(1, given["beat_bits"] // given["data_bits"])  # of a beat
    limits = ((1, 9), (300 // words, 500 // words), (20, 60))
    return [rng.randrange(*each) for each in limits][: given["regions"]]


async def _traffic(dut, seed, **memory):
    """Every region for some rounds, with a memory of these properties; then all stands still."""
    rng = random.Random(seed)
    bench = _bench(dut, _lengths(rng), seed)
    vars(bench.memory).update(memory)
    if seed != "calm":
        bench.pause(*[rng.choice((0, 0.4, 0.9)) for _ in bench.lengths])
    await bench.start()
    for sink, length in zip(bench.sinks, bench.lengths):
        await sink.wait(2 * length + 7)
    bench.pause(*[1.0 for _ in bench.sinks])
    await bench.drain()
    bench.no_error()
    counts = [bench.compare(k) for k in range(len(bench.sinks))]
    assert all(count > 2 * length for count, length in zip(counts, bench.lengths))
    monitor = bench.memory.monitor
    assert monitor.most <= bench.axi.outstanding
    assert sum(burst.beats for burst in monitor.bursts) == monitor.beats == bench.memory.sent
    return bench


STORM = dict(latency=(1, 90), stalls=dict(ar=0.5, r=0.3), refresh=(200, 20))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def calm(dut):
    """Without pauses. What is asked for is what has been taken and what there is room for, and no more."""
    bench = await _traffic(dut, "calm")
    axi, queue = bench.axi, bench.axi.depth
    for k, (sink, length) in enumerate(zip(bench.sinks, bench.lengths)):
        asked = sum(burst.beats for burst in bench.memory.monitor.bursts if burst.id == k)
        rounds, rest = divmod(sink.received, length)
        used = rounds * axi.words(length, bench.beat_bits) + rest * bench.beat_bits // axi.data_bits
        behind = 8 + bench.beat_bits // axi.data_bits  # words behind the queue
        assert used + queue - axi.burst <= asked <= used + queue + behind
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    assert dut.m_axi_rready.value == 0 and dut.m_axi_arvalid.value == 0  # as long as it lasts


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def stormy(dut):
    """With pauses on every channel, late and early answers, refresh and back-pressure."""
    await _traffic(dut, "stormy", **STORM)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def interleaved(dut):
    """The same with the beats of several regions mixed."""
    bench = await _traffic(dut, "interleaved", **STORM, interleaved=True)
    assert bench.memory.mixed > 0 or len(bench.lengths) == 1


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def any_beat_may_fail(dut):
    """SLVERR or DECERR on a random beat: the code, nothing of what came later, no burst begins, all that were under way
    are taken; after a reset it reads on from the front. Every number of the first beats, and some later ones."""
    bench = _bench(dut, [5, 90], "faults")
    memory = bench.memory
    memory.latency, memory.stalls, memory.interleaved = (1, 30), dict(ar=0.2, r=0.2), True
    await bench.start()
    for number in [*range(12), *bench.rng.sample(range(12, 300), 12)]:
        memory.faults = {memory.made + number: bench.rng.choice((SLVERR, DECERR))}
        (code,) = memory.faults.values()
        bench.pause(0.5, 0.5)
        while dut.error.value == NONE:
            await RisingEdge(dut.clk)
        assert dut.error.value == {SLVERR: SLAVE_ERROR, DECERR: DECODE_ERROR}[code]
        await ClockCycles(dut.clk, 3)  # one burst may have begun in the cycle of the error
        asked = len(memory.monitor.bursts)
        await bench.drain()
        bench.pause(0, 0)
        await ClockCycles(dut.clk, 300)
        assert len(memory.monitor.bursts) == asked and dut.error.value != NONE
        words = sum(bench.axi.words(bench.compare(k), bench.beat_bits) for k in range(2))
        assert words <= number + 2 * 3  # the rounds of the short region end within a word
        memory.faults = {}
        await bench.restart()
    for sink in bench.sinks:
        await sink.wait(200)
    bench.no_error()
    assert all(bench.compare(k) >= 200 for k in range(2))
    assert bench.compared > 1000


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def windows(dut):
    """A base that is misaligned, a region without beats or past the last address: the code, and nothing is read. The
    last words that there are can be read."""
    bench = _bench(dut, [40, 40], "windows")
    size, end = bench.axi.word_bytes, 1 << bench.axi.address_bits
    words = bench.axi.words(40, bench.beat_bits)
    await bench.start()
    await bench.sinks[0].wait(1)
    wrong = [(0, bench.bases[0] + 1, 40), (1, bench.bases[1] + size // 2, 40), (1, end - words * size + size, 40)]
    wrong += [(0, end - size, 3), (0, bench.bases[0], 0)]
    for k, base, beats in wrong:
        bench.pause(1.0, 1.0)
        await bench.drain()
        getattr(dut, f"base_{k}").value, getattr(dut, f"beats_{k}").value = base, beats
        await bench.restart()
        await ClockCycles(dut.clk, 20)
        assert dut.error.value == BAD_WINDOW, (k, base, beats)
        getattr(dut, f"base_{k}").value, getattr(dut, f"beats_{k}").value = bench.bases[k], 40
    data = bench.rng.randbytes(words * size)
    bench.memory.put(end - words * size, data)
    part = bench.beat_bits // 8
    bench.tapes[1] = [int.from_bytes(data[k * part : (k + 1) * part], "little") for k in range(40)]
    dut.base_1.value = end - words * size
    await bench.restart()
    bench.pause(0, 0)
    await bench.sinks[1].wait(100)
    bench.no_error()
    assert bench.compare(1) >= 100 and bench.compare(0) > 0


FILLED = 2600  # cycles after which the region that nobody reads has been read ahead
PERIOD = 780  # cycles from refresh to refresh
MEASURED = 5 * PERIOD  # cycles


async def _rate(bench: Tapes) -> float:
    """Bits that the first region brings, as a share of what bus and consumer, the narrower of both, can carry in the
    cycles without refresh."""
    memory, sink = bench.memory, bench.sinks[0]
    bench.pause(0, 1)
    await bench.start()
    await ClockCycles(bench.dut.clk, FILLED)
    beats, refreshed = sink.received, memory.refreshed
    await ClockCycles(bench.dut.clk, MEASURED)
    at_most = min(bench.beat_bits, bench.axi.data_bits) * (MEASURED - (memory.refreshed - refreshed))
    return (sink.received - beats) * bench.beat_bits / at_most


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def efficiency(dut):
    """Read latency 60 and a consumer that always takes: at least 99 of 100 bus cycles bring a useful beat."""
    bench = _bench(dut, [MOST_BEATS - 3, 40], "rate")
    bench.memory.latency = (60, 60)
    assert 0.99 <= await _rate(bench) <= 1.01  # a beat of many words at the edge
    assert bench.compare(0) > 0


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def efficiency_with_refresh(dut):
    """The same with 5% of the cycles for refresh, which are not counted."""
    bench = _bench(dut, [MOST_BEATS - 3, 40], "refresh")
    bench.memory.latency, bench.memory.refresh = (60, 60), (PERIOD, PERIOD // 20)
    rate = await _rate(bench)
    assert rate >= 0.99
    assert bench.memory.refreshed > 0 and bench.compare(0) > 0
