"""embed_station: rows as golden.fixed.embedding.embed, each under its label; what is behind the table passes on."""

import random
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.embedding.embed_station import embed_station, ports
from llama2_myhdl.rtl.embedding.embedding import latency
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.presets import PRESETS
from tb.embedding.rows import random_row

CONFIGS = {name: replace(PRESETS[name].build, sequences=4) for name in ("nano", "default")}
LABEL = ("seq", "pos", "scored")


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_embed_station(sim, name):
    run(embed_station, ports(CONFIGS[name]), __name__, sim, parameters=dict(config=name), tests=4)


def random_request(rng, cfg, vocab):
    """A request of any label."""
    label = dict(seq=rng.randrange(cfg.sequences), pos=rng.randrange(cfg.max_seq), scored=rng.randrange(2))
    return dict(token=rng.randrange(vocab), **label)


class Bench:
    """Drivers of the four streams, the table that was written, and what must come out."""

    def __init__(self, dut, rng):
        self.dut, self.rng, self.cfg = dut, rng, CONFIGS[test_parameters()["config"]]
        cfg = self.cfg
        label = dict(seq=cfg.seq_bits, pos=cfg.pos_bits, scored=1)
        self.boot = StreamSource(dut, "s_boot", data=cfg.beat_bits, last=1)
        self.rest = StreamSink(dut, "m_boot", data=cfg.beat_bits, last=1)
        self.requests = StreamSource(dut, "s", token=cfg.token_bits, **label)
        self.packets = StreamSink(dut, "m", data=-cfg.f_bits, **label, last=1)
        self.wanted = []

    def row(self):
        """Beats of a random row: its exponent, then its elements; remembers the row."""
        row, beats = random_row(self.rng, self.dim, self.cfg)
        self.rows.append(row)
        return beats

    async def shape(self, dim, vocab):
        """Set the shape registers."""
        self.dut.dim.value, self.dut.dim_beats.value = dim, -(-dim // self.cfg.lanes)
        self.dut.vocab_size.value, self.dim = vocab, dim
        await ClockCycles(self.dut.clk, 1)

    async def load(self, dim, vocab, more):
        """Set the shape and send an image with `more` beats behind the table; compares what passes."""
        await self.shape(dim, vocab)
        self.rows = []
        image = [beat for _ in range(vocab) for beat in self.row()]
        rest = [self.rng.randrange(1 << self.cfg.beat_bits) for _ in range(more)]
        beats = [dict(data=data, last=0) for data in image + rest]
        beats[-1]["last"] = 1
        await self.boot.send(*beats)
        await ClockCycles(self.dut.clk, 2)
        assert list(self.rest.queue) == beats[len(image) :]
        self.rest.queue.clear()

    def ask(self, request):
        self.requests.send_nowait(request)
        label = {name: request[name] for name in LABEL}
        row = self.rows[request["token"]]
        self.wanted += [dict(data=y, **label, last=int(k == self.dim - 1)) for k, y in enumerate(row)]

    async def finish(self):
        """Compare every element; returns how many."""
        await self.packets.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, 30)
        assert list(self.packets.queue) == self.wanted
        count = len(self.wanted)
        self.packets.queue.clear()
        self.wanted.clear()
        return count


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_requests(dut):
    """Images one after another, with and without beats behind the table; requests with pauses on both sides."""
    rng = random.Random(15)
    bench = Bench(dut, rng)
    await start(dut)
    cfg, count = bench.cfg, 0
    images = (cfg.max_dim, cfg.max_vocab, 20), (cfg.max_dim // 2, 7, 0), (2, 3, 1), (cfg.max_dim - 2, 1, 5)
    for dim, vocab, more in images:
        bench.boot.pause(rng, rng.choice((0, 0.3)))
        bench.rest.pause(rng, rng.choice((0, 0.5)))
        await bench.load(dim, vocab, more)
        for idle, wait in ((0, 0), (0.5, 0), (0, 0.5), (0.9, 0.8)):
            bench.requests.pause(rng, idle)
            bench.packets.pause(rng, wait)
            for _ in range(10):
                bench.ask(random_request(rng, cfg, vocab))
            assert await bench.finish() == 10 * dim
            count += 10 * dim
    assert count == bench.packets.received


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_rate(dut):
    """The first element after `latency` cycles; between packets only the start of a look-up is idle."""
    bench = Bench(dut, random.Random(16))
    await start(dut)
    cfg = bench.cfg
    await bench.load(cfg.max_dim, 3, 0)
    for token in (2, 0, 1, 1):
        bench.ask(dict(token=token, seq=1, pos=token, scored=0))
    cycle, taken, elements = 0, [], []
    while len(elements) < 4 * cfg.max_dim:
        await RisingEdge(dut.clk)
        cycle += 1
        if dut.s_valid.value and dut.s_ready.value:
            taken.append(cycle)
        if dut.m_valid.value:
            elements.append(cycle)
    firsts = elements[:: cfg.max_dim]
    assert firsts == [cycle + latency(cfg) for cycle in taken]
    assert elements == [first + k for first in firsts for k in range(cfg.max_dim)]
    period = cfg.max_dim + len(dut.dim_beats) + 1
    assert firsts == list(range(firsts[0], firsts[0] + 4 * period, period))
    assert await bench.finish() == 4 * cfg.max_dim


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_in_the_middle(dut):
    """A reset in the boot stream, and one with a packet under way: the next image and packets are whole."""
    rng = random.Random(17)
    bench = Bench(dut, rng)
    await start(dut)
    cfg = bench.cfg
    for dim in (cfg.max_dim, cfg.max_dim // 2):
        await bench.shape(dim, 5)
        await bench.boot.send(*[dict(data=rng.randrange(256), last=0) for _ in range(7)])
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        await bench.load(dim, 5, 3)
        bench.packets.pause(rng, 1)
        bench.ask(random_request(rng, cfg, 5))
        await bench.requests.wait()
        await ClockCycles(dut.clk, 10)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        bench.packets.pause(None, 0)
        bench.wanted.clear()
        for _ in range(3):
            bench.ask(random_request(rng, cfg, 5))
        assert await bench.finish() == 3 * dim


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """Another token, or another label, than was asked for: the comparison objects."""
    bench = Bench(dut, random.Random(18))
    await start(dut)
    await bench.load(bench.cfg.max_dim, 3, 0)
    for wrong in (dict(token=1), dict(scored=1), dict(seq=2)):
        bench.ask(dict(token=2, seq=1, pos=3, scored=0))
        bench.requests.queue[0] |= wrong
        with pytest.raises(AssertionError):
            await bench.finish()
        bench.packets.queue.clear()
        bench.wanted.clear()
