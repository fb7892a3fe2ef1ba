"""The answer: a token for a scored packet, only the label for one whose vector is dropped."""

import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from llama2_myhdl.rtl.logits.answer import answer, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build
BEST = dict(token=BUILD.token_bits, logprob=-F_BITS)
LABEL = dict(seq=BUILD.seq_bits, pos=BUILD.pos_bits, scored=1)
PACKETS = 60


@pytest.mark.parametrize("sim", SIMULATORS)
def test_answer(sim):
    run(answer, ports(BUILD), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_packet_is_answered(dut):
    """Scored and unscored packets in random order, with pauses: one prediction each, `done` beside its transfer.

    A scored one brings its token and log-probability, and another brings zeros whatever its vector holds."""
    rng = random.Random(5)
    best, vectors = StreamSource(dut, "s_best", **BEST), StreamSource(dut, "s_exit", data=-F_BITS, last=1)
    answers = StreamSink(dut, "m", **BEST, **LABEL)
    low, high = -(1 << F_BITS - 1), (1 << F_BITS - 1) - 1
    for port in (best, vectors, answers):
        port.pause(rng, 0.4)
    await start(dut)
    done = 0

    async def watch():
        nonlocal done
        while True:
            await RisingEdge(dut.clk)
            done += int(dut.done.value)

    cocotb.start_soon(watch())
    for number in range(PACKETS):
        label = {name: rng.randrange(1 << bits) for name, bits in LABEL.items()}
        for name, value in label.items():
            getattr(dut, name).value = value
        said = dict(token=0, logprob=0)
        if label["scored"]:
            said = dict(token=rng.randrange(BUILD.max_vocab), logprob=rng.randint(low, high))
            best.send_nowait(said)
        else:
            size = rng.randrange(1, 6)
            vectors.send_nowait(*[dict(data=rng.randint(low, high), last=int(k == size - 1)) for k in range(size)])
        assert await answers.recv() == said | label
        await RisingEdge(dut.clk)
        assert done == number + 1
    assert answers.received == PACKETS and not answers.queue
