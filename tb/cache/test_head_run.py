"""head_run: a run for each pass, of the rows that the cache's layout has in that place, anywhere in memory."""

import random
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import FallingEdge

from llama2_myhdl.rtl.cache.head_run import head_run, ports, rest_bits
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.cache import layout
from tb.attention.attention_bench import BUILDS

CFG = replace(BUILDS["2x2"], max_seq=8192, cache=ReadMaster(data_bits=64))
UNIT, TOKENS = CFG.attention_units - 1, 60


@pytest.mark.parametrize("sim", SIMULATORS)
def test_head_run(sim):
    run(head_run, ports(CFG, UNIT), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_pass(dut):
    """Tokens at any position, the first and the last ones among them; a window anywhere, up to the last address."""
    rng, where, words = random.Random(4), layout(CFG), CFG.cache.word_address_bits
    sink = StreamSink(dut, "m", word=words, rest=rest_bits(CFG))
    dut.push.value = 0
    await start(dut)
    compared = 0
    for token in range(TOKENS):
        first = rng.choice((0, (1 << words) - where.beats, rng.randrange((1 << words) - where.beats)))
        rows = rng.choice((0, 1, CFG.max_seq - 1, rng.randrange(CFG.max_seq), rng.randrange(CFG.max_seq)))
        dut.first.value, dut.rows.value, dut.none.value = first, rows, int(rows == 0)
        dut.less.value = rows - 1 if rows else rng.randrange(CFG.max_seq)
        sink.pause(rng, token % 3 / 3)
        bases = [rng.randrange(where.unit_heads) for _ in range(CFG.max_heads)]
        for base in bases:
            await FallingEdge(dut.clk)
            dut.push.value, dut.base.value = 1, base
        await FallingEdge(dut.clk)
        dut.push.value = 0
        if rows:
            await sink.wait(len(bases))
        for _ in range(0 if rows else 5 * len(bases)):
            await FallingEdge(dut.clk)
        places = [first + where.places(UNIT, base, 0)[0] for base in bases if rows]
        assert list(sink.queue) == [dict(word=place, rest=where.rows_beats(rows) - 1) for place in places]
        compared += len(places)
        sink.queue.clear()
    assert 0 < compared < TOKENS * CFG.max_heads  # some tokens have no rows in memory
