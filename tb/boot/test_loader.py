"""The loader: a good image arrives whole in registers and payload; every bad one raises its error code."""

import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.golden.checkpoint import random_checkpoint
from llama2_myhdl.golden.fixed.rope import frequencies
from llama2_myhdl.rtl import errors
from llama2_myhdl.rtl.boot.loader import ShapeRegisters, loader
from llama2_myhdl.rtl.boot.registers import REGISTERS, checksum, register_values
from llama2_myhdl.rtl.config import PHASE_BITS, ModelShape, clog2
from llama2_myhdl.rtl.presets import preset
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.streams import StreamSink, StreamSource
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image

BUILD = preset("nano").build
SHAPE = ModelShape(12, 22, 1, 3, 1, 20, 16)  # no number equal to a limit of the build by accident
BEAT = dict(data=BUILD.beat_bits, last=1)


def ports():
    beat = Stream(data=uint(BUILD.beat_bits), last=bit())
    return dict(
        clk=bit(),
        rst=bit(),
        s=beat,
        m=beat.clone(),
        shape=ShapeRegisters(BUILD),
        freq_we=bit(),
        freq_addr=uint(clog2(BUILD.max_head_dim // 2)),
        freq_data=uint(PHASE_BITS),
        loaded=bit(),
        error=uint(errors.ERROR_BITS),
        CFG=BUILD,
    )


@pytest.mark.parametrize("sim", SIMULATORS)
def test_loader(sim):
    run(loader, ports(), __name__, sim, tests=2 + len(DAMAGES) * len(PAUSES))


def image():
    return boot_image(quantise_checkpoint(random_checkpoint(SHAPE, seed=4), None, gptq=False), BUILD)


async def send(dut, beats, pause):
    """Boot these beats; returns them as words, the payload's sink and the frequency writes."""
    source, payload = StreamSource(dut, "s", **BEAT), StreamSink(dut, "m", **BEAT)
    rng, writes = random.Random(8), []
    for port in (source, payload):
        port.pause(rng, pause)

    async def watch():
        while True:
            await RisingEdge(dut.clk)
            if dut.freq_we.value == 1:
                writes.append((int(dut.freq_addr.value), int(dut.freq_data.value)))

    await start(dut)
    watcher = cocotb.start_soon(watch())
    words = [int.from_bytes(beat.tobytes(), "little") for beat in beats]
    await source.send(*[dict(data=w, last=int(k == len(words) - 1)) for k, w in enumerate(words)])
    await ClockCycles(dut.clk, 10)
    watcher.cancel()
    return words, payload, writes


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.4])
async def good_image(dut, pause):
    """All registers, frequencies and the payload, with and without pauses."""
    tape_image = image()
    words, payload, writes = await send(dut, tape_image.beats, pause)
    assert dut.loaded.value == 1 and dut.error.value == errors.NONE
    values = register_values(SHAPE, BUILD)
    for name in ShapeRegisters.NAMES:
        assert int(getattr(dut, f"shape_{name}").value) == values[name], name
    pairs = dict(writes)
    assert [pairs[k] for k in range(SHAPE.head_dim // 2)] == frequencies(SHAPE.head_dim, SHAPE.rope_theta)
    first = tape_image.sections[0]
    assert [beat["data"] for beat in payload.queue] == words[first:-1]
    assert [beat["last"] for beat in payload.queue] == [0] * (len(words) - first - 2) + [1]
    assert payload.received == sum(tape_image.sections[1:]) - 1


def _with_register(name, value):
    def damage(beats):
        beats[REGISTERS.index(name), :4] = np.array([value], "<u4").view(np.uint8)
        beats[-1, :4] = np.array([checksum(beats[:-1].tobytes(), BUILD.lanes)], "<u4").view(np.uint8)
        return beats

    return damage


def _flip(index):
    def damage(beats):
        beats[index, 0] ^= 0x10
        return beats

    return damage


def _both(first, second):
    return lambda beats: second(first(beats))


PAUSES = (0, 0.2)
DAMAGES = {
    "magic": (_with_register("magic", 1234), errors.BAD_IMAGE),
    "version": (_with_register("version", 9), errors.BAD_IMAGE),
    "lanes": (_with_register("lanes", BUILD.lanes * 2), errors.BAD_IMAGE),
    "hidden_block": (_with_register("hidden_block", 2 * BUILD.hidden_block), errors.BAD_IMAGE),
    "engines": (_with_register("engines", 2), errors.BAD_IMAGE),
    "dim": (_with_register("dim", BUILD.max_dim + 1), errors.BAD_SHAPE),
    "no_layers": (_with_register("n_layers", 0), errors.BAD_SHAPE),
    "context": (_with_register("seq_len", BUILD.max_seq + 1), errors.BAD_SHAPE),
    # the first fault counts, whatever comes right behind it
    "engines_and_dim": (_both(_with_register("engines", 2), _with_register("dim", 999)), errors.BAD_IMAGE),
    "ends_on_a_bad_one": (
        lambda beats: _with_register("dim", BUILD.max_dim + 1)(beats)[: REGISTERS.index("dim") + 1],
        errors.BAD_LENGTH,
    ),
    "short": (lambda beats: beats[:-5], errors.BAD_LENGTH),
    "long": (lambda beats: np.concatenate([beats, beats[:3]]), errors.BAD_LENGTH),
    "embedding_bit": (_flip(60), errors.BAD_CHECKSUM),
    "tape_bit": (_flip(-9), errors.BAD_CHECKSUM),
}


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(case=sorted(DAMAGES), pause=PAUSES)
async def bad_image(dut, case, pause):
    """The error code says what is wrong, the image is swallowed to its end, nothing counts as loaded."""
    damage, code = DAMAGES[case]
    await send(dut, damage(image().beats.copy()), pause)
    assert dut.error.value == code
    assert dut.loaded.value == 0
