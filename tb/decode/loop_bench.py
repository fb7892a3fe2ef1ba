"""The decode loop's model, which also stands in for the layers, and the drivers of its four streams."""

from dataclasses import replace

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.rtl.decode.orders import LATENCY as ORDER_LATENCY
from llama2_myhdl.sim.runner import test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.sampling import FLOOR_BITS, K_BITS, P_OFF, SCALE_BITS, SEED_BITS, SHIFT_MAX, SHIFT_MIN
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.spec.sequence import prompt_beats as wanted_beats
from llama2_myhdl.spec.stops import GOES_ON, MORE_STOPS, STOP_BITS, STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from tb.bench import Bench

BUILD = preset("nano").build
VOCAB, CONTEXT, STOPS = 20, 10, (1, 2)
FIELDS = ("token", "pos", "scored", "sampled", "stop", "last", "logprob")  # of a beat
PLAIN = next(wanted_beats(Request((0,))))  # a prompt token with no wishes
# settings that the hardware does not have
FAULTS = dict(
    shift=(0, SHIFT_MIN - 1, SHIFT_MAX + 1), k=(BUILD.list_entries + 1, (1 << K_BITS) - 1), p=(P_OFF + 1, 2 * P_OFF - 1)
)


def build_of(sequences):
    return replace(BUILD, sequences=sequences)


def answer(token, pos):
    """The stand-in for the decoder: any function of token and position that reaches the stop tokens now and then."""
    return (token * 7 + pos * 3 + 5) % VOCAB


def expected(job):
    """Requests and token beats of one sequence, and its error code. job: prompt, steps, score, wishes."""
    prompt, steps, score, wishes = job
    stops = [*STOPS, *(wishes.get(f"stop_{k}") for k in range(wishes.get("stops", 0)))]
    requests, beats, token = [], [], prompt[0]
    for pos in range(CONTEXT):
        prompted = pos + 1 >= len(prompt)
        unset = not pos and any(wishes.get(name) in values for name, values in FAULTS.items())
        if token >= VOCAB or unset:
            requests.append((0, pos, 0))  # passes in the token's place
            beats.append((token, pos, 0, 0, STOP_ERROR, 1, 0))
            return requests, beats, errors.BAD_SETTINGS if unset else errors.BAD_TOKEN
        scored = int(score or prompted)
        requests.append((token, pos, scored))
        best = answer(token, pos)
        stop = GOES_ON
        if prompted and best in stops:
            stop = STOP_TOKEN
        elif pos + 1 == steps or prompted and pos + 2 - len(prompt) == wishes.get("new_tokens"):
            stop = STOP_STEPS
        elif pos + 1 == CONTEXT:
            stop = STOP_CONTEXT if prompted else STOP_ERROR
        beats.append((best * scored, pos, scored, int(prompted), stop, int(stop != GOES_ON), -best * scored))
        if stop != GOES_ON:
            return requests, beats, errors.TOO_LONG if stop == STOP_ERROR else errors.NONE
        token = best if prompted else prompt[pos + 1]
    raise AssertionError("the context's end was missed")


SETTINGS = dict(greedy=1, logprobs=1, scale=SCALE_BITS, floor=FLOOR_BITS, seed=SEED_BITS)  # any value is legal
LIMITED = dict(shift=(SHIFT_MIN, SHIFT_MAX), k=(0, BUILD.list_entries), p=(0, P_OFF))


def order(job, pos):
    """What the sampler is told of the token behind position `pos` of a job."""
    prompt, steps, score, wishes = job
    beats = list(wanted_beats(Request(tuple(prompt), steps, score)))
    settings = {name: (beats[0] | wishes)[name] for name in (*SETTINGS, *LIMITED)}
    given = pos + 1 < len(prompt)
    return settings | dict(given=int(given), target=beats[pos]["target"] if given else None)


def random_job(rng, faults=True):
    """A prompt, in one of five cases with a bad token somewhere, its steps, whether it is scored, and wishes."""
    length = rng.choice((1, 1, 2, 3, 5, CONTEXT, CONTEXT + 1, CONTEXT + 4))
    prompt = [rng.randrange(VOCAB) for _ in range(length)]
    if rng.random() < 0.2:
        prompt[rng.randrange(length)] = rng.randrange(VOCAB, 2 * BUILD.max_vocab)
    wishes = {}
    if rng.random() < 0.3:
        wishes |= {f"stop_{k}": rng.randrange(rng.choice((VOCAB, 2 * BUILD.max_vocab))) for k in range(MORE_STOPS)}
        wishes |= dict(stops=rng.randrange(5))
    if rng.random() < 0.3:
        wishes |= dict(new_tokens=rng.choice((1, 2, 3, 5, CONTEXT, 2 * CONTEXT)))
    if rng.random() < 0.7:
        wishes |= {name: rng.getrandbits(bits) for name, bits in SETTINGS.items()}
        wishes |= {name: rng.randint(*limits) for name, limits in LIMITED.items()}
    if faults and rng.random() < 0.1:
        name = rng.choice(list(FAULTS))
        wishes |= {name: rng.choice(FAULTS[name])}
    return prompt, rng.choice((0, 1, 2, 4, CONTEXT, 16)), rng.randrange(2), wishes


def prompt_beats(seq, job, rng):
    """A job's beats for s_prompt; steps and wishes count on the first one only."""
    prompt, steps, score, wishes = job
    for k, beat in enumerate(wanted_beats(Request(tuple(prompt), steps, score), seq)):
        later = dict(steps=rng.randrange(16), stops=rng.randrange(5), shift=rng.randrange(32))
        yield beat | (later if k else wishes)


class LoopBench(Bench):
    """Drivers of the four streams, and the layers' stand-in: it answers in order, each request after a while."""

    def __init__(self, dut, rng):
        super().__init__(dut, rng)
        self.slots = test_parameters()["sequences"]
        build = build_of(self.slots)
        position = dict(token=build.token_bits, seq=build.seq_bits, pos=build.pos_bits, scored=1)
        prompt = prompt_stream(build)
        self.prompts = StreamSource(dut, "s_prompt", **dict(zip(prompt.payload, map(len, prompt.fields()))))
        self.requests = StreamSink(dut, "m_request", **position)
        self.answers = StreamSource(dut, "s_prediction", **position, logprob=-F_BITS)
        self.tokens = StreamSink(dut, "m_token", **position, sampled=1, stop=STOP_BITS, last=1, logprob=-F_BITS)
        self.ports = self.prompts, self.requests, self.answers, self.tokens
        self.seen = {seq: [] for seq in range(self.slots)}
        self.wrong = set()  # numbers of requests to answer wrongly
        self.alone = None  # the job that runs alone: its orders are compared
        self.orders = 0  # compared so far
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
            if self.alone and self.answers.sent == number:  # no earlier one is without its answer
                await ClockCycles(self.dut.clk, ORDER_LATENCY)
                self.look(order(self.alone, request["pos"]))
            best = answer(request["token"], request["pos"]) ^ (number in self.wrong)
            if not request["scored"]:
                best = self.rng.randrange(VOCAB)  # nobody has asked
            self.answers.send_nowait(dict(request, token=best, logprob=-best))
            number += 1

    def look(self, wanted):
        """Compare the order that stands at the port; the target counts for a given token alone."""
        pins = {name: f"order_{name}" if name in ("given", "target") else f"order_settings_{name}" for name in wanted}
        found = {name: int(getattr(self.dut, pins[name]).value) for name, value in wanted.items() if value is not None}
        assert found == {name: value for name, value in wanted.items() if value is not None}
        self.orders += 1

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
