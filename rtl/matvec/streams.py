"""The streams at the ports of the matvec, for those who stand around it."""

from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import EXP2_FRAC
from llama2_myhdl.spec.kinds import KIND_BITS

FACTOR_BITS = EXP2_FRAC + 1  # unsigned, 1.0 = 2**EXP2_FRAC with the scale that goes with it
SCALE_BITS = 10  # signed exponent of an activation vector


def command_stream(cfg: BuildConfig) -> Stream:
    """Commands: kind; rows (0 for GAIN); beats a row, or beats in all for GAIN (int16 gains and their exponent);
    release: the activation vector is not needed again; head: the beats come from the head's tape."""
    beats = uint(clog2(cfg.max_row_beats + 1) + 1)
    return Stream(kind=uint(KIND_BITS), rows=uint(clog2(cfg.max_rows + 1)), beats=beats, release=bit(), head=bit())


def beat_stream(cfg: BuildConfig) -> Stream:
    """Tape beats: LANES lanes of a weight each, element 0 low."""
    return Stream(data=uint(cfg.beat_bits))


def activation_stream(cfg: BuildConfig) -> Stream:
    """Words of an activation vector."""
    return Stream(data=uint(cfg.act_word_bits), last=bit())


def scale_stream(_cfg: BuildConfig) -> Stream:
    """What the rows of an activation vector are multiplied by: factor * 2**scale, one a vector."""
    return Stream(factor=uint(FACTOR_BITS), scale=sint(SCALE_BITS))


def row_stream(cfg: BuildConfig) -> Stream:
    """Results, one a row, in F."""
    return Stream(data=sint(cfg.f_bits), kind=uint(KIND_BITS), last=bit())
