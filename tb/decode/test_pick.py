"""pick: each input's tokens leave once and in order, in turns, and are offered before they are asked for."""
import random
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.rtl.decode.pick import LATENCY, pick, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec.presets import PRESETS
from tb.bench import TRAFFIC, Bench

BUILD, SLOTS = replace(PRESETS["nano"].build, list_entries=0), 4  # greedy: what a sampler adds does not come this way
VOCABULARY = BUILD.max_vocab
TOKENS = 60  # from each input, at each level of traffic


def arguments():
    return ports(prompt_stream(BUILD), BUILD.token_bits, SLOTS)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_pick(sim):
    run(pick, arguments(), __name__, sim, tests=4)


class PickBench(Bench):
    """One prompt of slot 0 that never ends, so that no first token waits, and sampled tokens."""

    def __init__(self, dut):
        super().__init__(dut, random.Random(1))
        seq = BUILD.seq_bits
        self.prompt = StreamSource(dut, "s_prompt", token=BUILD.token_bits, seq=seq, steps=BUILD.pos_bits + 1, score=1,
                                   last=1)  # fmt: skip
        self.again = StreamSource(dut, "s_again", token=BUILD.token_bits, seq=seq)
        self.sink = StreamSink(dut, "m", token=BUILD.token_bits, bad=1, scored=1, first=1, last=1)
        self.ports = self.prompt, self.again, self.sink
        for name, value in dict(enable=1, ended=0, ended_seq=0, faulty=0, vocab_size=VOCABULARY).items():
            getattr(dut, name).value = value
        self.begun = False

    def of_prompt(self, count):
        """So many tokens of one prompt, as they enter and as they leave."""
        sent, wanted = [], []
        for _ in range(count):
            token, score = self.rng.randrange(2 * VOCABULARY), self.rng.randrange(2)
            payload = dict(dict.fromkeys(self.prompt.fields, 0), token=token, steps=9, score=score)
            sent.append(payload)
            bad, first = int(token >= VOCABULARY), int(not self.begun)
            wanted.append(dict(token=token, bad=bad, scored=score, first=first, last=0))
            self.begun = True
        return sent, wanted

    def sampled(self, count):
        tokens = [self.rng.randrange(VOCABULARY) for _ in range(count)]
        wanted = [dict(token=token, bad=0, scored=1, first=0, last=1) for token in tokens]
        return [dict(token=token, seq=0) for token in tokens], wanted


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def both_inputs(dut):
    """Random traffic: what leaves is what has entered, each input's tokens in their order."""
    tb, compared = PickBench(dut), 0
    await tb.start()
    for idle, wait in TRAFFIC:
        tb.pause(idle, idle, wait)
        (prompt, of_prompt), (again, sampled) = tb.of_prompt(TOKENS), tb.sampled(TOKENS)
        tb.prompt.send_nowait(*prompt)
        tb.again.send_nowait(*again)
        await tb.sink.wait(2 * TOKENS)
        found = list(tb.sink.queue)
        tb.sink.queue.clear()
        assert [beat for beat in found if not beat["last"]] == of_prompt
        assert [beat for beat in found if beat["last"]] == sampled
        compared += len(found)
    await ClockCycles(dut.clk, 20)
    assert not tb.sink.queue and compared == 2 * TOKENS * len(TRAFFIC)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def turns_when_both_wait(dut):
    tb = PickBench(dut)
    await tb.start()
    tb.prompt.send_nowait(*tb.of_prompt(TOKENS)[0])
    await tb.sink.wait(2)
    tb.again.send_nowait(*tb.sampled(TOKENS)[0])
    await tb.sink.wait(TOKENS)
    kinds = [beat["last"] for beat in tb.sink.queue][4:TOKENS]
    assert kinds in ([0, 1] * (len(kinds) // 2), [1, 0] * (len(kinds) // 2))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def offered_before_it_is_asked_for(dut):
    """valid does not wait for ready: the block behind may look at the offer first."""
    tb = PickBench(dut)
    tb.sink.pause(tb.rng, 1.0)
    await tb.start()
    tb.again.send_nowait(*tb.sampled(1)[0])
    await tb.again.wait()
    await ClockCycles(dut.clk, LATENCY + 1)
    assert dut.m_valid.value == 1 and dut.m_ready.value == 0 and not tb.sink.received


@cocotb.test(timeout_time=1, timeout_unit="ms", expect_fail=True)
async def wrong_order_is_seen(dut):
    """The comparison can fail: two tokens that are expected the other way round."""
    tb = PickBench(dut)
    await tb.start()
    sent, wanted = tb.of_prompt(2)
    tb.prompt.send_nowait(*sent)
    tb.wanted = wanted[::-1]
    await tb.compare(5)
