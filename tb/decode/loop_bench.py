"""The decode loop's model, which also stands in for the layers, and the drivers of its four streams."""

from dataclasses import replace

import cocotb
from cocotb.triggers import RisingEdge

from llama2_myhdl.sim.runner import test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.stops import GOES_ON, STOP_BITS, STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from tb.bench import Bench

BUILD = preset("nano").build
VOCAB, CONTEXT, STOPS = 20, 10, (1, 2)
FIELDS = ("token", "pos", "scored", "sampled", "stop", "last")  # of a beat


def build_of(sequences):
    return replace(BUILD, sequences=sequences)


def answer(token, pos):
    """The stand-in for the decoder: any function of token and position that reaches the stop tokens now and then."""
    return (token * 7 + pos * 3 + 5) % VOCAB


def expected(job):
    """Requests and token beats of one sequence, and its error code. job: prompt, steps, score."""
    prompt, steps, score = job
    requests, beats, token = [], [], prompt[0]
    for pos in range(CONTEXT):
        prompted = pos + 1 >= len(prompt)
        if token >= VOCAB:
            requests.append((0, pos, 0))  # passes in the token's place
            beats.append((token, pos, 0, 0, STOP_ERROR, 1))
            return requests, beats, errors.BAD_TOKEN
        scored = int(score or prompted)
        requests.append((token, pos, scored))
        best = answer(token, pos)
        stop = GOES_ON
        if prompted and best in STOPS:
            stop = STOP_TOKEN
        elif pos + 1 == steps:
            stop = STOP_STEPS
        elif pos + 1 == CONTEXT:
            stop = STOP_CONTEXT if prompted else STOP_ERROR
        beats.append((best * scored, pos, scored, int(prompted), stop, int(stop != GOES_ON)))
        if stop != GOES_ON:
            return requests, beats, errors.TOO_LONG if stop == STOP_ERROR else errors.NONE
        token = best if prompted else prompt[pos + 1]
    raise AssertionError("the context's end was missed")


def random_job(rng):
    """A prompt, in one of five cases with a bad token somewhere, its steps and whether it is scored."""
    length = rng.choice((1, 1, 2, 3, 5, CONTEXT, CONTEXT + 1, CONTEXT + 4))
    prompt = [rng.randrange(VOCAB) for _ in range(length)]
    if rng.random() < 0.2:
        prompt[rng.randrange(length)] = rng.randrange(VOCAB, 2 * BUILD.max_vocab)
    return prompt, rng.choice((0, 1, 2, 4, CONTEXT, 16)), rng.randrange(2)


def prompt_beats(seq, job, rng):
    """A job's beats for s_prompt; steps count on the first one only."""
    prompt, steps, score = job
    for k, token in enumerate(prompt):
        last = int(k == len(prompt) - 1)
        yield dict(token=token, seq=seq, steps=rng.randrange(16) if k else steps, score=score, last=last)


class LoopBench(Bench):
    """Drivers of the four streams, and the layers' stand-in: it answers in order, each request after a while."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.slots = test_parameters()["sequences"]
        build = build_of(self.slots)
        position = dict(token=build.token_bits, seq=build.seq_bits, pos=build.pos_bits, scored=1)
        self.prompts = StreamSource(
            dut, "s_prompt", token=build.token_bits, seq=build.seq_bits, steps=build.pos_bits + 1, score=1, last=1
        )
        self.requests = StreamSink(dut, "m_request", **position)
        self.answers = StreamSource(dut, "s_prediction", **position)
        self.tokens = StreamSink(dut, "m_token", **position, sampled=1, stop=STOP_BITS, last=1)
        self.ports = self.prompts, self.requests, self.answers, self.tokens
        self.seen = {seq: [] for seq in range(self.slots)}
        self.wrong = set()  # numbers of requests to answer wrongly
        dut.vocab_size.value, dut.seq_len.value = VOCAB, CONTEXT
        dut.stop_a.value, dut.stop_b.value = STOPS
        dut.clear.value, dut.enable.value = 0, 1
        cocotb.start_soon(self.layers())

    async def layers(self):
        number = 0
        while True:
            request = await self.requests.recv()
            assert request["seq"] < self.slots
            self.seen[request["seq"]].append((request["token"], request["pos"], request["scored"]))
            best = answer(request["token"], request["pos"]) ^ (number in self.wrong)
            if not request["scored"]:
                best = self.rng.randrange(VOCAB)  # nobody has asked
            self.answers.send_nowait(dict(request, token=best))
            number += 1

    def pause_up_to(self, most):
        """New random pauses on all streams, up to this probability: a long pause of the answers is a long latency."""
        self.pause(*(self.rng.random() * most for _ in self.ports))

    async def check(self, jobs):
        """Receive all beats of each slot's jobs and compare them and the requests; returns how many beats."""
        wanted = {seq: [expected(job) for job in jobs[seq]] for seq in jobs}
        left = {seq: [beat for _, beats, _ in wanted[seq] for beat in beats] for seq in jobs}
        compared = 0
        while any(left.values()):
            beat = await self.tokens.recv()
            assert tuple(beat[name] for name in FIELDS) == left[beat["seq"]].pop(0), beat
            compared += 1
        for seq in jobs:
            assert self.seen[seq] == [request for requests, _, _ in wanted[seq] for request in requests]
            self.seen[seq].clear()
        return compared


async def watch(dut, log):
    """Cycle and sequence of every transfer of each stream."""
    cycle = 0
    ports = {"prompt": "s_prompt", "request": "m_request", "prediction": "s_prediction", "token": "m_token"}
    pins = {name: [getattr(dut, f"{port}_{pin}") for pin in ("valid", "ready", "seq")] for name, port in ports.items()}
    while True:
        await RisingEdge(dut.clk)
        cycle += 1
        for name, (valid, ready, seq) in pins.items():
            if valid.value and ready.value:
                log.setdefault(name, []).append((cycle, int(seq.value)))


def cycles(log, name, seq=None):
    return [cycle for cycle, number in log.get(name, []) if seq in (None, number)]
