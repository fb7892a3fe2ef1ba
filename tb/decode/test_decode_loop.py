"""The decode loop against a model of it: prompts, sampling, every way to stop, errors, many sequences side by side."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout

from llama2_myhdl.rtl.decode.decode_loop import LATENCY, PROMPT_LATENCY, TOKEN_LATENCY, decode_loop, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.stops import GOES_ON, STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from tb.decode.loop_bench import (
    CONTEXT,
    PLAIN,
    VOCAB,
    LoopBench,
    build_of,
    cycles,
    expected,
    prompt_beats,
    random_job,
    watch,
)

SEQUENCES = (1, 2, 4)
OVERTAKEN = "a packet has overtaken another one of its sequence"


def run_tests(sim, sequences, *testcase):
    run(
        decode_loop,
        ports(build_of(sequences)),
        __name__,
        sim,
        testcase=list(testcase),
        tests=len(testcase),
        parameters=dict(sequences=sequences),
    )


@pytest.mark.parametrize("sequences", SEQUENCES)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_decode_loop(sim, sequences):
    run_tests(
        sim,
        sequences,
        "one_after_another",
        "side_by_side",
        "latency_and_rate",
        "after_a_reset",
        "scoreboard_can_fail",
        "wrong_order_is_seen",
    )


@pytest.mark.parametrize("sequences", [n for n in SEQUENCES if n > 1])
@pytest.mark.parametrize("sim", SIMULATORS)
def test_taking_turns(sim, sequences):
    run_tests(sim, sequences, "taking_turns", "a_stalled_prompt")


@pytest.mark.parametrize("sim", SIMULATORS)
def test_overtaking_is_noticed(sim):
    with pytest.raises(AssertionError, match=OVERTAKEN):
        run_tests(sim, 2, "one_overtakes")


@pytest.mark.parametrize("sequences", [0, 3])
def test_sequences_are_checked(sequences):
    with pytest.raises(ValueError, match="SEQUENCES is 1 to 2 here"):
        decode_loop(**dict(ports(build_of(2)), SEQUENCES=sequences))


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def one_after_another(dut):
    """Random jobs in random slots, each alone: its beats, requests, orders, its error and that it can be cleared."""
    rng = random.Random(6)
    bench = LoopBench(dut, rng)
    dut.enable.value = 0
    await bench.start()
    bench.prompts.send_nowait(PLAIN | dict(token=3, seq=0, steps=2, score=0, last=1))
    await ClockCycles(dut.clk, 20)
    assert bench.prompts.sent == 0, "a prompt was taken before a model was loaded"
    dut.enable.value = 1
    reached, compared = set(), 0
    for number in range(220):
        bench.pause_up_to(0.5)
        seq, job = rng.randrange(bench.slots), random_job(rng)
        if number == 0:
            seq, job = 0, ([3], 2, 0, {})
        else:
            bench.alone = job
            bench.prompts.send_nowait(*prompt_beats(seq, job, rng))
        compared += await bench.check({seq: [job]})
        await bench.prompts.wait()
        await ClockCycles(dut.clk, 10)
        _, beats, code = expected(job)
        assert dut.error.value == code
        reached.add((beats[-1][4], code))
        dut.clear.value = 1
        await RisingEdge(dut.clk)
        dut.clear.value = 0
        await ClockCycles(dut.clk, 2)
        assert dut.error.value == errors.NONE
    assert reached == {
        (STOP_TOKEN, errors.NONE),
        (STOP_STEPS, errors.NONE),
        (STOP_CONTEXT, errors.NONE),
        (STOP_ERROR, errors.BAD_TOKEN),
        (STOP_ERROR, errors.TOO_LONG),
        (STOP_ERROR, errors.BAD_SETTINGS),
    }
    assert compared == bench.tokens.received > 200
    assert bench.orders > 200


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def side_by_side(dut):
    """Every slot has a list of jobs, the prompts' beats come in random order: each sequence is as if it were alone."""
    rng = random.Random(7)
    bench = LoopBench(dut, rng)
    await bench.start()
    compared = together = 0
    for _ in range(13):
        bench.pause_up_to(0.8)
        jobs = {seq: [random_job(rng) for _ in range(8)] for seq in range(bench.slots)}
        beats = {seq: [beat for job in jobs[seq] for beat in prompt_beats(seq, job, rng)] for seq in jobs}
        before = None
        while any(beats.values()):
            seq = rng.choice([seq for seq in beats if beats[seq]])
            bench.prompts.send_nowait(beats[seq].pop(0))
            together += before not in (None, seq)
            before = seq
        compared += await bench.check(jobs)
        await bench.prompts.wait()
        await ClockCycles(dut.clk, 10)
    assert compared == bench.tokens.received > 200 * bench.slots
    assert together > 100 or bench.slots == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def latency_and_rate(dut):
    """Without pauses: exact latencies; prompt tokens are requested every other cycle, unanswered."""
    bench = LoopBench(dut, random.Random(8))
    await bench.start()
    await ClockCycles(dut.clk, 3)
    log = {}
    cocotb.start_soon(watch(dut, log))
    job = [3, 4, 5, 6], 9, 1, {}
    bench.prompts.send_nowait(*prompt_beats(0, job, bench.rng))
    compared = await bench.check({0: [job]})
    assert compared == len(expected(job)[1]) > len(job[0]) + 2
    taken, asked = cycles(log, "prompt"), cycles(log, "request")
    assert taken == list(range(taken[0], taken[0] + 2 * len(taken), 2))
    assert asked[: len(taken)] == [cycle + PROMPT_LATENCY for cycle in taken]
    answered = cycles(log, "prediction")
    assert asked[len(taken) :] == [cycle + LATENCY for cycle in answered[len(taken) - 1 : -1]]
    assert cycles(log, "token") == [cycle + TOKEN_LATENCY for cycle in answered]
    assert LATENCY <= 3


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def taking_turns(dut):
    """Prompts without end against decoding sequences: neither side waits for more than a few of the other's."""
    rng = random.Random(9)
    bench = LoopBench(dut, rng)
    dut.stop_a.value = dut.stop_b.value = VOCAB  # never
    await bench.start()
    log = {}
    cocotb.start_soon(watch(dut, log))
    rounds, last = 30, bench.slots - 1
    for busy in (0, 0.5):
        log.clear()
        bench.requests.pause(rng, busy)
        # every slot but the last decodes from a single token on; the last one has prompts of a context each
        beats = []
        for _ in range(rounds):
            beats += [PLAIN | dict(token=3, seq=seq, steps=0, score=0, last=1) for seq in range(last)]
            rest = PLAIN | dict(token=4, seq=last, score=0)
            beats += [rest | dict(last=int(k == CONTEXT - 1)) for k in range(CONTEXT)]
        bench.prompts.send_nowait(*beats)
        while len(cycles(log, "token")) < rounds * bench.slots * CONTEXT:
            await ClockCycles(dut.clk, 10)
        await ClockCycles(dut.clk, 10)
        for seq in range(bench.slots):
            assert len(cycles(log, "request", seq)) == rounds * CONTEXT
        if not busy:
            for seq in range(last):
                waits = []
                answered = cycles(log, "prediction", seq)
                for k, asked in enumerate(cycles(log, "request", seq)):
                    if k % CONTEXT:
                        waits.append(asked - answered[k - 1])
                # in front of it at most: one of a prompt, and a token and a prompt's for each other sequence
                assert min(waits) == LATENCY and max(waits) <= LATENCY + 2 * bench.slots
            gaps = [b - a for a, b in zip(cycles(log, "prompt"), cycles(log, "prompt")[1:])]
            assert sorted(gaps)[len(gaps) // 2] <= 3


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_stalled_prompt(dut):
    """A prompt that does not go on, and one that has failed and is not over, hold up nobody else."""
    rng = random.Random(10)
    bench = LoopBench(dut, rng)
    await bench.start()
    for first, stop in ((5, None), (VOCAB, STOP_ERROR)):
        bench.prompts.send_nowait(PLAIN | dict(token=first, seq=1, steps=0, score=1, last=0))
        seen = await bench.tokens.recv()
        assert seen["seq"] == 1 and seen["stop"] == (stop or GOES_ON)
        bench.seen[1].clear()
        jobs = [random_job(rng) for _ in range(10)]
        for job in jobs:
            bench.prompts.send_nowait(*prompt_beats(0, job, rng))
        assert await bench.check({0: jobs}) >= 10
        bench.prompts.send_nowait(PLAIN | dict(token=6, seq=1, steps=0, score=0, last=0))
        bench.prompts.send_nowait(PLAIN | dict(token=VOCAB + 1, seq=1, steps=0, score=0, last=1))
        if stop is None:
            assert (await bench.tokens.recv())["stop"] == GOES_ON
            seen = await bench.tokens.recv()
            assert (seen["token"], seen["pos"], seen["stop"]) == (VOCAB + 1, 2, STOP_ERROR)
            bench.seen[1].clear()
        await ClockCycles(dut.clk, 20)
        assert not bench.tokens.queue and not bench.seen[1]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def after_a_reset(dut):
    """A reset with sequences under way, in their prompts or decoding: the next ones are as the first."""
    rng = random.Random(11)
    bench = LoopBench(dut, rng)
    await bench.start()
    for held in (0, 3, 12, 30):
        bench.answers.pause(None, 0)
        for seq in range(bench.slots):
            beats = list(prompt_beats(seq, ([3, 4, 5, 6], 0, 1, {}), rng))
            await bench.prompts.send(*beats[: rng.randrange(1, 5)])
        await ClockCycles(dut.clk, held)
        bench.answers.pause(rng, 1)  # from here on they are in flight
        await ClockCycles(dut.clk, 20)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        dut.rst.value = 0
        bench.answers.queue.clear()
        bench.tokens.queue.clear()
        for seq in range(bench.slots):
            bench.seen[seq].clear()
        bench.answers.pause(rng, 0.3)
        jobs = {seq: [random_job(rng) for _ in range(3)] for seq in range(bench.slots)}
        for seq in jobs:
            for job in jobs[seq]:
                bench.prompts.send_nowait(*prompt_beats(seq, job, rng))
        assert await bench.check(jobs) >= 3 * bench.slots
        await bench.prompts.wait()
        await ClockCycles(dut.clk, 10)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def scoreboard_can_fail(dut):
    """One wrong answer: the comparison objects."""
    bench = LoopBench(dut, random.Random(12))
    bench.wrong = {2}
    await bench.start()
    job = [3, 4, 5, 6], 9, 1, {}
    bench.prompts.send_nowait(*prompt_beats(0, job, bench.rng))
    with pytest.raises(AssertionError):
        await with_timeout(bench.check({0: [job]}), 50, "us")
    assert bench.tokens.received >= 3


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def wrong_order_is_seen(dut):
    """A sequence with other settings than the sampler is told of."""
    bench = LoopBench(dut, random.Random(14))
    await bench.start()
    bench.prompts.send_nowait(*prompt_beats(0, ([3], 2, 1, dict(seed=5)), bench.rng))
    await bench.tokens.wait(2)
    with pytest.raises(AssertionError):
        bench.look(dict(seed=4))
    bench.look(dict(seed=5))
    assert bench.orders == 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def one_overtakes(dut):
    """Two answers of one sequence change places."""
    bench = LoopBench(dut, random.Random(13))
    await bench.start()
    bench.answers.pause(bench.rng, 1)
    bench.prompts.send_nowait(*prompt_beats(1, ([3, 4, 5, 6], 9, 1, {}), bench.rng))
    await ClockCycles(dut.clk, 30)
    bench.answers.queue.rotate(1)
    bench.answers.pause(None, 0)
    await ClockCycles(dut.clk, 30)
