"""What the engine's tests share: the build, a model's beats for it, and its registers."""

from dataclasses import replace
from itertools import islice

from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import engine_program, head_beats, layer_beats
from llama2_myhdl.spec.registers import register_values
from llama2_myhdl.weights.tape import Tape
from tb.rope.frequencies import write_frequencies

BUILD = replace(preset("nano").build, sequences=2)


def packet_tape(image: Tape, build: BuildConfig, head: bool = False) -> list[int]:
    """The beats that a packet needs of an engine with all layers of a model; head: and with the classifier."""
    shape, end = image.shape, sum(image.sections[:2])
    parts = []
    for count in (shape.n_layers * layer_beats(shape, build), head_beats(shape, build)):
        parts.append([int.from_bytes(beat.tobytes(), "little") for beat in image.beats[end : end + count]])
        end += count
    layers, behind = map(iter, parts)
    program = engine_program(shape, build, 0, shape.n_layers, head)
    return [beat for c in program for beat in islice(behind if c.head else layers, c.tape_beats(build.lanes))]


async def load(dut, shape: ModelShape):
    """Shape registers, number of layers and RoPE frequencies, while no packet is under way."""
    values = register_values(shape, BUILD)
    dut.n_layers.value = shape.n_layers
    for name in ShapeRegisters.NAMES:
        getattr(dut, f"shape_{name}").value = values[name]
    await write_frequencies(dut, shape.frequencies)
