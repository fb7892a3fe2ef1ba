"""Campaign on the whole decoder: images with changed registers and a right checksum are refused, or decode; none hangs.

Each image is a random model's with one to three registers changed: to any value within its limits, by one, or two of
them exchanged. The rest of the image stays as it was or is made as long as the changed registers say. What is loaded
says two tokens.
"""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.sim.session import RESET_CYCLES, open_decoder
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.spec.registers import KIND, REGISTERS, WORD, register_limits
from llama2_myhdl.spec.sequence import Request, prompt_beats
from tb.boot.images import FREE, Image, good, payload_beats, random_shape, shape_of, verdict
from tb.sim.simulators import SESSIONS

BUILDS = {
    "nano": build_of("nano"),
    "two_engines": replace(build_of("nano"), max_layers=3, engines=2, sequences=4),  # as the wavefront has
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

pytestmark = pytest.mark.skipif(SESSIONS[0] != "verilator", reason="the long runs are in Verilator")


class Hang(Exception):
    """Neither a token nor an error code came."""


class WrongVerdict(Exception):
    """The decoder said something else to an image than it deserves."""


class DecoderBench:
    """The decoder with its streams; `hold`: prompts are kept back."""

    def __init__(self, build):
        self.build, self.hold = build, False
        self.sim = open_decoder(build)
        self.boot_port = self.sim.source("s_boot", ("data", "last"))
        self.prompt = self.sim.source("s_prompt", prompt_stream(build).payload)
        self.tokens = self.sim.recorder(["m_token_token", "m_token_pos", "m_token_last"], "m_token", wakes=True)
        self.sim.set(clear=0, counter_station=0, counter_select=0, m_token_ready=1)

    def judge(self, image, rng):
        """Boot an image behind a reset; if it is loaded, let it say STEPS tokens. Returns the error code."""
        sim, beats = self.sim, image.beats(self.build, rng)
        sim.set(rst=1)
        sim.run(RESET_CYCLES)
        self.prompt.drop()
        sim.set(rst=0)
        last = np.zeros((len(beats), 1), np.uint8)
        last[-1] = 1
        self.boot_port.send(len(beats), data=beats, last=last)
        patience = BOOT_PATIENCE * len(beats) + PATIENCE
        sim.run(patience, self.boot_port)
        if not self.boot_port.idle:
            raise Hang(f"the image is not taken in {patience} cycles")
        sim.run(SETTLE)
        code = sim.get("error")
        if sim.get("loaded") != (code == errors.NONE):
            raise WrongVerdict(f"loaded is {sim.get('loaded')}, the error code {code}")
        if code == errors.NONE:
            token = rng.randrange(image.registers["vocab_size"])
            if not self.hold:
                self.prompt.send(**next(prompt_beats(Request((token,), STEPS))))
            self._story(image.registers["vocab_size"], PATIENCE + 10 * STEPS * image.payload)
            if sim.get("error") != errors.NONE:
                raise WrongVerdict(f"the prompt ends with the error code {sim.get('error')}")
        return code

    def _story(self, vocab_size, patience):
        """Beats of the token stream to the last one, each with a token of the vocabulary in its turn."""
        end = self.sim.cycle + patience
        for expected in range(STEPS):
            self.sim.run(end - self.sim.cycle)
            beats = self.tokens.take().tolist()
            if not beats:
                raise Hang(f"no token in {patience} cycles")
            ((_, token, pos, last),) = beats
            if pos != expected or token >= vocab_size:
                raise WrongVerdict(f"token {token} at position {pos}, expected {expected}")
            if last:
                return
        raise WrongVerdict("the story goes on")


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


def judge_all(build, images, oracle=verdict):
    """Boots all images; Hang or WrongVerdict, with the registers, at the first one that goes wrong."""
    bench, rng, seen = DecoderBench(build), random.Random(6), Counter()
    with bench.sim:
        for number, image in enumerate(images):
            try:
                code, wanted = bench.judge(image, rng), oracle(image, build)
            except (Hang, WrongVerdict) as error:
                raise type(error)(f"image {number}, {image}: {error}") from error
            if code != wanted:
                raise WrongVerdict(f"image {number}, {image}: error code {code}, not {wanted}")
            seen[code] += 1
    return seen


@pytest.fixture(params=BUILDS)
def build(request):
    return BUILDS[request.param]


def test_none_hangs(build):
    """All images get the code that they deserve, and what is loaded decodes."""
    seen = judge_all(build, campaign(build, random.Random(5)))
    assert seen.total() == IMAGES
    assert all(seen[code] >= least for code, least in LEAST.items()), seen


def test_a_hang_is_seen(build):
    """A decoder that never gets its prompt says nothing."""
    bench = DecoderBench(build)
    bench.hold = True
    with bench.sim, pytest.raises(Hang, match="^no token in"):
        bench.judge(good(random_shape(build, random.Random(7)), build), random.Random(8))


def test_a_wrong_verdict_is_seen(build):
    """An oracle that knows of limits only, as the loader once did, differs from the decoder."""

    def limits_only(image, build):
        limits = register_limits(build)
        outside = any(not limits[name][0] <= value <= limits[name][1] for name, value in image.registers.items())
        return errors.BAD_SHAPE if outside else errors.NONE

    images = (image for image in campaign(build, random.Random(5)) if verdict(image, build) != errors.BAD_IMAGE)
    with pytest.raises(WrongVerdict, match="error code"):
        judge_all(build, images, limits_only)
