"""Campaign on the whole decoder: images with changed registers and a right checksum are refused, or decode; none hangs.

Each image is a random model's with one to three registers changed: to any value within its limits, by one, or two of
them exchanged. The rest of the image stays as it was or is made as long as the changed registers say. What is loaded
says two tokens.
"""

import random
from collections import Counter
from dataclasses import replace

import cocotb
import pytest
from cocotb.triggers import ClockCycles, SimTimeoutError, with_timeout

from llama2_myhdl.rtl import errors
from llama2_myhdl.rtl.boot.registers import KIND, REGISTERS, WORD, register_limits
from llama2_myhdl.rtl.config import ConfigError
from llama2_myhdl.rtl.decode.decode_loop import STOP_BITS
from llama2_myhdl.rtl.decoder import decoder
from llama2_myhdl.rtl.decoder import ports as decoder_ports
from llama2_myhdl.rtl.presets import build_of
from llama2_myhdl.sim.clock import PERIOD_NS, RESET_CYCLES, start_clock
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from tb.boot.images import FREE, Image, good, payload_beats, random_shape, shape_of, verdict, words

BUILDS = {
    "nano": build_of("nano"),
    "two_engines": replace(build_of("nano"), max_layers=4, engines=2),
    "side_by_side": replace(
        build_of("nano"), lanes=8, max_dim=48, max_heads=8, attention_units=2, attention_queries=2, sequences=2
    ),
}
IMAGES = 400
LEAST = {errors.NONE: 80, errors.BAD_SHAPE: 80, errors.BAD_LENGTH: 80, errors.BAD_IMAGE: 3}  # of each verdict
REFITTED = 0.3  # share of the images that are made as long as the changed registers say
STEPS = 2
SETTLE = 10  # cycles from the last beat of an image to its code
BOOT_PATIENCE = 10  # cycles for each beat of an image, beside PATIENCE
PATIENCE = 5000  # cycles; and ten times the beats of a token for each: then the decoder is stuck


@pytest.mark.skipif("verilator" not in SIMULATORS, reason="the long runs are in Verilator")
@pytest.mark.parametrize("name", BUILDS)
def test_contradictions(name):
    run(decoder, decoder_ports(BUILDS[name]), __name__, "verilator", tests=3, parameters=dict(build=name))


class Hang(Exception):
    """Neither a token nor an error code came."""


class WrongVerdict(Exception):
    """The decoder said something else to an image than it deserves."""


class DecoderBench:
    """The decoder with its streams; `hold`: prompts are kept back."""

    def __init__(self, dut, build):
        self.dut, self.build, self.hold = dut, build, False
        label = dict(token=build.token_bits, seq=build.seq_bits)
        self.boot_port = StreamSource(dut, "s_boot", data=build.beat_bits, last=1)
        self.prompt = StreamSource(dut, "s_prompt", **label, steps=build.pos_bits + 1, score=1, last=1)
        flags = dict(scored=1, sampled=1, stop=STOP_BITS, last=1)
        self.tokens = StreamSink(dut, "m_token", **label, pos=build.pos_bits, **flags)
        dut.clear.value, dut.counter_station.value, dut.counter_select.value = 0, 0, 0
        dut.rst.value = 1
        start_clock(dut)

    async def judge(self, image, rng):
        """Boot an image behind a reset; if it is loaded, let it say STEPS tokens. Returns the error code."""
        dut, beats = self.dut, image.beats(self.build, rng)
        dut.rst.value = 1
        await ClockCycles(dut.clk, RESET_CYCLES)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 1)
        self.tokens.queue.clear()
        await self._within(BOOT_PATIENCE * len(beats) + PATIENCE, self.boot_port.send(*words(beats)))
        await ClockCycles(dut.clk, SETTLE)
        code = int(dut.error.value)
        if int(dut.loaded.value) != (code == errors.NONE):
            raise WrongVerdict(f"loaded is {dut.loaded.value}, the error code {code}")
        if code == errors.NONE:
            token = rng.randrange(image.registers["vocab_size"])
            if not self.hold:
                self.prompt.send_nowait(dict(token=token, seq=0, steps=STEPS, score=1, last=1))
            await self._within(PATIENCE + 10 * STEPS * image.payload, self._story(image.registers))
            if dut.error.value != errors.NONE:
                raise WrongVerdict(f"the prompt ends with the error code {int(dut.error.value)}")
        return code

    async def _story(self, registers):
        """Beats of the token stream to the last one, each with a token of the vocabulary in its turn."""
        for pos in range(STEPS):
            beat = await self.tokens.recv()
            if beat["pos"] != pos or beat["token"] >= registers["vocab_size"]:
                raise WrongVerdict(f"{beat} at position {pos}")
            if beat["last"]:
                return
        raise WrongVerdict("the story goes on")

    async def _within(self, cycles, waiting):
        try:
            await with_timeout(waiting, cycles * PERIOD_NS, "ns")
        except SimTimeoutError as error:
            raise Hang(f"nothing for {cycles} cycles") from error


def changed(registers, build, rng):
    """The registers with some of them changed: mostly those that the rest of the image depends on."""
    registers, limits = dict(registers), register_limits(build)
    way = rng.choices(("any", "near", "several", "exchange", "free", "kind"), (6, 6, 3, 3, 2, 1))[0]
    shaping = [name for name in REGISTERS if name not in (*KIND, *FREE)]
    if way == "kind":
        registers[rng.choice(KIND)] ^= 1 << rng.randrange(WORD)
    elif way == "exchange":
        a, b = rng.sample([*shaping, "seq_len"], 2)
        registers[a], registers[b] = registers[b], registers[a]
    elif way == "near":
        registers[rng.choice(shaping)] += rng.choice((-1, 1))
    else:
        for name in rng.sample(FREE if way == "free" else shaping, rng.randint(2, 3) if way == "several" else 1):
            registers[name] = rng.randint(*limits[name])
    return {name: value % (1 << WORD) for name, value in registers.items()}


def refitted(image, build):
    """The image with as many frequencies and as much payload as its registers say; itself if they say nothing."""
    try:
        shape = shape_of(image.registers, build)
    except ConfigError:
        return image
    return Image(image.registers, shape.head_dim // 2, payload_beats(shape, build))


def campaign(build, rng):
    for _ in range(IMAGES):
        image = good(random_shape(build, rng), build)
        image.registers = changed(image.registers, build, rng)
        yield refitted(image, build) if rng.random() < REFITTED else image


async def judge_all(dut, build, images, oracle=verdict):
    """Boots all images; Hang or WrongVerdict, with the registers, at the first one that goes wrong."""
    bench, rng, seen = DecoderBench(dut, build), random.Random(6), Counter()
    for number, image in enumerate(images):
        try:
            code, wanted = await bench.judge(image, rng), oracle(image, build)
        except (Hang, WrongVerdict) as error:
            raise type(error)(f"image {number}, {image}: {error}") from error
        if code != wanted:
            raise WrongVerdict(f"image {number}, {image}: error code {code}, not {wanted}")
        seen[code] += 1
    return seen


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def none_hangs(dut):
    """All images get the code that they deserve, and what is loaded decodes."""
    build = BUILDS[test_parameters()["build"]]
    seen = await judge_all(dut, build, campaign(build, random.Random(5)))
    dut._log.info("verdicts: %s", dict(seen))
    assert seen.total() == IMAGES
    assert all(seen[code] >= least for code, least in LEAST.items()), seen


@cocotb.test(timeout_time=5, timeout_unit="ms", expect_error=Hang)
async def a_hang_is_seen(dut):
    """A decoder that never gets its prompt says nothing."""
    build = BUILDS[test_parameters()["build"]]
    bench = DecoderBench(dut, build)
    bench.hold = True
    await bench.judge(good(random_shape(build, random.Random(7)), build), random.Random(8))


@cocotb.test(timeout_time=100, timeout_unit="ms", expect_error=WrongVerdict)
async def a_wrong_verdict_is_seen(dut):
    """An oracle that knows of limits only, as the loader once did, differs from the decoder."""
    build = BUILDS[test_parameters()["build"]]

    def limits_only(image, build):
        limits = register_limits(build)
        outside = any(not limits[name][0] <= value <= limits[name][1] for name, value in image.registers.items())
        return errors.BAD_SHAPE if outside else errors.NONE

    images = (image for image in campaign(build, random.Random(5)) if verdict(image, build) != errors.BAD_IMAGE)
    await judge_all(dut, build, images, limits_only)
