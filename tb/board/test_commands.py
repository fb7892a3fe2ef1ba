"""The commands against a model of the protocol: every kind, in turn or not, with and without a loaded model."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.rtl.board.commands import WAIT_CYCLES, commands, ports
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.spec import link
from llama2_myhdl.spec.link import on_board, packed
from llama2_myhdl.spec.presets import preset

BUILD, DIGEST = on_board(preset("nano").build), 0xC0FFEE11
TOKEN_BITS, STEP_BITS = BUILD.token_bits, BUILD.pos_bits + 1
UNKNOWN = (0, 0x7F, 0xFF)
KINDS = (link.HELLO, link.BEGIN, link.IMAGE, link.IMAGE_END, link.PROMPT, link.CLEAR, link.READ, *UNKNOWN)


def value_of(select, station):
    """What stands for the decoder's counters."""
    return (select * 0x9E3779B97F4B + station * 77) % (1 << 48)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_commands(sim):
    names = ["every_kind_in_any_order", "an_answer_waits", "reset_and_clear_are_pulses"]
    run(commands, ports(BUILD, DIGEST), __name__, sim, testcase=names, tests=len(names))


class Model:
    """What the board is to do: answers, bytes of the image and prompt tokens."""

    def __init__(self):
        self.due, self.loading, self.loaded, self.error = 0, False, False, 0
        self.answers, self.image, self.prompts, self.done = [], [], [], set()

    def damaged(self):
        self._answer(link.ANSWER, reason=link.DAMAGED)

    def take(self, kind, number, body):
        if kind == link.HELLO:
            self.due = (number + 1) % 256
            self._answer(link.GREETING, version=link.VERSION, loaded=int(self.loaded), error=self.error,
                         values=len(link.DESCRIBED), digest=DIGEST)  # fmt: skip
        elif number != self.due:
            self._answer(link.ANSWER, reason=link.OUT_OF_TURN)
        else:
            self.due = (self.due + 1) % 256
            self._carry_out(kind, body)

    def _carry_out(self, kind, body):
        reason = link.DONE
        if kind in (link.IMAGE, link.IMAGE_END):
            if self.loading:
                ends = kind == link.IMAGE_END
                self.image += [(byte, int(ends and k == len(body) - 1)) for k, byte in enumerate(body)]
                self.loading = not ends
            else:
                reason = link.NOT_LOADING
        elif len(body) != link.BODY_BYTES or kind in UNKNOWN:
            reason = link.MALFORMED
        elif kind == link.BEGIN:
            self.loading = True
        elif kind == link.READ:
            fields = link.unpacked(link.READ, body)
            self._answer(link.VALUE, **fields, value=value_of(**fields))
            return
        elif kind == link.PROMPT:
            if self.loaded:
                self.prompts.append(link.unpacked(link.PROMPT, body))
            else:
                reason = link.NOT_LOADED
        self._answer(link.ANSWER, reason=reason)

    def _answer(self, kind, **fields):
        self.done.add((kind, fields.get("reason")))
        self.answers.append(dict(kind=kind, number=self.due, body=int.from_bytes(packed(kind, **fields), "little")))


def random_frame(rng, due):
    """Kind, number and body; most of them right."""
    kind = rng.choice(KINDS)
    number = due if rng.random() < 0.8 else rng.randrange(256)
    if kind in (link.IMAGE, link.IMAGE_END):
        return kind, number, bytes(rng.randrange(256) for _ in range(rng.choice((1, 5, 8, 40))))
    if kind == link.PROMPT:
        token, steps = rng.randrange(1 << TOKEN_BITS), rng.randrange(1 << STEP_BITS)
        flags = {name: rng.randrange(2) for name in ("seq", "score", "last")}
        body = packed(kind, token=token, steps=steps, **flags)
    elif kind == link.READ:
        body = packed(kind, select=rng.randrange(256), station=rng.randrange(256))
    else:
        body = bytes(8)
    length = rng.choice((0, 2, 7, 9, 30)) if rng.random() < 0.15 else 8
    return kind, number, (body * 4)[:length]


async def counters(dut):
    """Answers `value` two cycles behind `select` and `station`, as the decoder and its inquiry do."""
    edge, found = RisingEdge(dut.clk), [0, 0, 0]
    while True:
        await edge
        codes = [dut.select.value, dut.station.value]
        found = [value_of(*map(int, codes)) if all(code.is_resolvable for code in codes) else 0, *found[:2]]
        dut.value.value = found[2]


async def bench(dut):
    dut.loaded.value, dut.error.value, dut.value.value = 0, 0, 0
    source = StreamSource(dut, "s", data=8, last=1, bad=1)
    image, prompt = StreamSink(dut, "m_image", data=8, last=1), StreamSink(
        dut, "m_prompt", token=TOKEN_BITS, seq=1, steps=STEP_BITS, score=1, last=1)  # fmt: skip
    answer = StreamSink(dut, "m_answer", kind=8, number=8, body=64)
    await start(dut)
    cocotb.start_soon(counters(dut))
    return source, image, prompt, answer


def beats(whole):
    return [dict(data=byte, last=int(k == len(whole) - 1), bad=0) for k, byte in enumerate(whole)]


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def every_kind_in_any_order(dut):
    rng, model = random.Random(11), Model()
    source, image, prompt, answer = await bench(dut)
    for turn in range(1200):
        if turn % 100 == 0:
            for port in (source, image, prompt, answer):
                port.pause(rng, rng.choice((0, 0, 0.5)))
        if rng.random() < 0.1:
            model.loaded, model.error = not model.loaded, rng.randrange(8)
            dut.loaded.value, dut.error.value = int(model.loaded), model.error
        if rng.random() < 0.05:
            model.damaged()
            await source.send(dict(data=0, last=1, bad=1))
        else:
            frame = random_frame(rng, model.due)
            model.take(*frame)
            await source.send(*beats(bytes(frame[:2]) + frame[2]))
        await answer.wait(len(model.answers))
    assert list(answer.queue) == model.answers
    assert [(item["data"], item["last"]) for item in image.queue] == model.image
    assert list(prompt.queue) == model.prompts
    everything = {(link.ANSWER, reason) for reason in (link.DONE, *link.REASONS)}
    assert model.done == everything | {(link.GREETING, None), (link.VALUE, None)}
    assert len(model.image) > 500 and len(model.prompts) > 20


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def an_answer_waits(dut):
    """Frames behind one whose answer is not taken for long: each has its own in the end."""
    rng, model = random.Random(12), Model()
    source, _, _, answer = await bench(dut)
    answer.pause(rng, 0.97)
    for _ in range(60):
        frame = random_frame(rng, model.due)
        model.take(*frame)
        source.send_nowait(*beats(bytes(frame[:2]) + frame[2]))
    await answer.wait(len(model.answers))
    assert list(answer.queue) == model.answers


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_and_clear_are_pulses(dut):
    """For BEGIN and CLEAR alone, WAIT_CYCLES long, and over before the answer."""
    source, image, prompt, answer = await bench(dut)
    high = {"restart": [], "clear": []}

    async def watch():
        cycle = 0
        while True:
            await RisingEdge(dut.clk)
            for name, seen in high.items():
                if int(getattr(dut, name).value):
                    seen.append(cycle)
            cycle += 1

    cocotb.start_soon(watch())
    for number, kind in enumerate((link.BEGIN, link.CLEAR, link.READ, link.PROMPT)):
        await source.send(*beats(bytes([kind, number]) + bytes(8)))
        await answer.wait(number + 1)
        await ClockCycles(dut.clk, 10)
    for seen in high.values():
        assert len(seen) == WAIT_CYCLES == seen[-1] - seen[0] + 1
    assert high["restart"][-1] < high["clear"][0]
    assert int(dut.loading.value) == 1
