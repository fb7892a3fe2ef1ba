"""The embedding table in memory, of builds that have it there.

Row t begins at base + t * row_bytes, and base at a beat of the bus:

    one beat of the build with the exponent (lane 0), then `dim_beats` beats of mantissas
    zeros, up to a whole beat of the bus

So a row is what the boot image of other builds has of it, and each one begins at a beat of the bus.
"""

from math import ceil

from llama2_myhdl.spec.config import BuildConfig, ModelShape


def row_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Beats of the build that a row has."""
    return 1 + ceil(shape.dim / build.lanes)


def most_row_beats(build: BuildConfig) -> int:
    """The same of the longest row that the build holds."""
    return 1 + build.dim_beats


def row_bytes(shape: ModelShape, build: BuildConfig) -> int:
    """From the beginning of a row in memory to that of the next."""
    return build.embedding.words(row_beats(shape, build), build.beat_bits) * build.embedding.word_bytes
