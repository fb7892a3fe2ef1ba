"""The loader: a good image arrives whole in registers and payload; every bad one raises its error code."""

import cocotb
import numpy as np
import pytest

from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.rtl.boot.loader import ShapeRegisters, loader, ports
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.spec.constants import frequencies
from llama2_myhdl.spec.registers import REGISTERS, register_values
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image
from tb.boot.images import sealed
from tb.boot.loader_bench import BUILDS, LoaderBench

BUILD = BUILDS["nano"]
SHAPE = ModelShape(12, 22, 1, 3, 1, 20, 16)  # no number equal to a limit of the build by accident


@pytest.mark.parametrize("sim", SIMULATORS)
def test_loader(sim):
    run(loader, ports(BUILD), __name__, sim, tests=2 + len(DAMAGES) * len(PAUSES))


def image():
    return boot_image(quantise_checkpoint(random_checkpoint(SHAPE, seed=4), None, gptq=False), BUILD)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pause=[0.0, 0.4])
async def good_image(dut, pause):
    """All registers, frequencies and the payload, with and without pauses."""
    tape_image, bench = image(), LoaderBench(dut, BUILD, pause)
    assert await bench.boot(tape_image.beats) == errors.NONE
    values = register_values(SHAPE, BUILD)
    for name in ShapeRegisters.NAMES:
        assert int(getattr(dut, f"shape_{name}").value) == values[name], name
    pairs = dict(bench.writes)
    assert [pairs[k] for k in range(SHAPE.head_dim // 2)] == frequencies(SHAPE.head_dim, SHAPE.rope_theta)
    payload = [int.from_bytes(beat.tobytes(), "little") for beat in tape_image.beats[tape_image.sections[0] : -1]]
    assert [beat["data"] for beat in bench.payload.queue] == payload
    assert [beat["last"] for beat in bench.payload.queue] == [0] * (len(payload) - 1) + [1]
    assert len(payload) == sum(tape_image.sections[1:]) - 1


def _with_register(name, value):
    def damage(beats):
        beats[REGISTERS.index(name), :4] = np.array([value], "<u4").view(np.uint8)
        return sealed(beats, BUILD)

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
    "version": (_with_register("version", 2), errors.BAD_IMAGE),
    "lanes": (_with_register("lanes", BUILD.lanes * 2), errors.BAD_IMAGE),
    "hidden_block": (_with_register("hidden_block", 2 * BUILD.hidden_block), errors.BAD_IMAGE),
    "engines": (_with_register("engines", 2), errors.BAD_IMAGE),
    "hidden": (_with_register("hidden_dim", BUILD.max_hidden + 1), errors.BAD_SHAPE),
    "no_layers": (_with_register("layers_low", 0), errors.BAD_SHAPE),
    "layers_of_no_engine": (_with_register("layers_extra", 1), errors.BAD_SHAPE),
    "context": (_with_register("seq_len", BUILD.max_seq + 1), errors.BAD_SHAPE),
    "stop": (_with_register("stop_b", 1 << BUILD.token_bits), errors.BAD_SHAPE),
    # products of numbers that are within their limits
    "heads": (_with_register("n_kv_heads", 2), errors.BAD_SHAPE),
    "narrow": (_both(_with_register("kv_mul", 1), _with_register("pairs", 1)), errors.BAD_SHAPE),
    # the first fault counts, whatever comes right behind it
    "engines_and_pairs": (_both(_with_register("engines", 2), _with_register("pairs", 999)), errors.BAD_IMAGE),
    "ends_on_a_bad_one": (
        lambda beats: _with_register("pairs", 999)(beats)[: REGISTERS.index("pairs") + 1],
        errors.BAD_LENGTH,
    ),
    # in the very cycle in which that is found out, when nothing pauses
    "ends_behind_a_bad_one": (
        lambda beats: _with_register("pairs", 999)(beats)[: REGISTERS.index("pairs") + 3],
        errors.BAD_SHAPE,
    ),
    "ends_with_the_registers": (lambda beats: beats[: len(REGISTERS)], errors.BAD_LENGTH),
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
    assert await LoaderBench(dut, BUILD, pause).boot(damage(image().beats.copy())) == code
