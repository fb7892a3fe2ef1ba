"""What the engine's tests share: the build, a model's beats for it, and its registers."""

from dataclasses import replace

from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import layer_beats
from llama2_myhdl.spec.registers import register_values
from llama2_myhdl.weights.tape import Tape
from tb.rope.test_angles import write_frequencies

BUILD = replace(preset("nano").build, sequences=2)


def layer_tape(image: Tape, build: BuildConfig) -> list[int]:
    """The beats of all layers of a model's boot image, for an engine that has all of them."""
    first, count = sum(image.sections[:2]), image.shape.n_layers * layer_beats(image.shape, build)
    return [int.from_bytes(beat.tobytes(), "little") for beat in image.beats[first : first + count]]


async def load(dut, shape: ModelShape):
    """Shape registers, number of layers and RoPE frequencies, while no packet is under way."""
    values = register_values(shape, BUILD)
    dut.n_layers.value = shape.n_layers
    for name in ShapeRegisters.NAMES:
        getattr(dut, f"shape_{name}").value = values[name]
    await write_frequencies(dut, shape.frequencies)
