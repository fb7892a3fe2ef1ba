"""A small model for the tests of a session: nano's build with four slots, and a boot image for it."""

from dataclasses import replace

from llama2_myhdl.golden.checkpoint import random_checkpoint
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.rtl.config import BuildConfig, ModelShape
from llama2_myhdl.rtl.presets import preset
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import Tape, boot_image

BUILD = replace(preset("nano").build, sequences=4)
SHAPE = ModelShape(8, 22, 2, 2, 1, 29, 12)


def random_model(seed: int, build: BuildConfig = BUILD, shape: ModelShape = SHAPE) -> tuple[FixedModel, Tape]:
    """A random model: the integer model and its boot image."""
    weights = quantise_checkpoint(random_checkpoint(shape, seed), gptq=False)
    return FixedModel(weights, build), boot_image(weights, build)
