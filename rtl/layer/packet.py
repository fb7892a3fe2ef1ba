"""The streams between stations: token requests, packets, engine results."""

from rtl.config import BuildConfig
from rtl.stream.stream import Stream, bit, sint, uint


def token_request(build: BuildConfig) -> Stream:
    """A token to be embedded: token id, its sequence and its position."""
    return Stream(token=uint(build.token_bits), seq=uint(build.seq_bits), pos=uint(build.pos_bits))


def packet(build: BuildConfig) -> Stream:
    """A token under way: the residual vector, one F element a beat, with sequence and position beside every element."""
    return Stream(data=sint(build.f_bits), seq=uint(build.seq_bits), pos=uint(build.pos_bits), last=bit())


def vector(build: BuildConfig) -> Stream:
    """One vector of F elements inside an engine."""
    return Stream(data=sint(build.f_bits), last=bit())


def prediction(build: BuildConfig) -> Stream:
    """What the head says about a position: the most likely next token."""
    return Stream(token=uint(build.token_bits), seq=uint(build.seq_bits), pos=uint(build.pos_bits))
