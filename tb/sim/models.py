"""Random models for tests of a running decoder; a small one on nano's build with four slots unless another is given."""

from dataclasses import replace

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import Tape, boot_image

BUILD = replace(preset("nano").build, max_layers=3, sequences=4)  # three for those that compare it with more engines
SHAPE = ModelShape(8, 22, 2, 2, 1, 29, 12)


def random_model(
    seed: int, build: BuildConfig = BUILD, shape: ModelShape = SHAPE, shared: bool = True
) -> tuple[FixedModel, Tape]:
    """A random model: the integer model and its boot image."""
    weights = quantise_checkpoint(random_checkpoint(shape, seed, shared), gptq=False, bits=build.weight_bits)
    return FixedModel(weights, build), boot_image(weights, build)
