"""The streams between stations: token requests, packets, engine results.

All of them carry a token's label: sequence, position, and whether its prediction is wanted (`scored`).
"""

from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig


def label(build: BuildConfig) -> dict:
    """Fresh Signals of a token's label; prompt tokens that are not `scored` skip the classifier."""
    return dict(seq=uint(build.seq_bits), pos=uint(build.pos_bits), scored=bit())


def token_request(build: BuildConfig) -> Stream:
    """A token to be embedded: token id, and its label."""
    return Stream(token=uint(build.token_bits), **label(build))


def packet(build: BuildConfig) -> Stream:
    """A token under way: the residual vector, one F element a beat, with the label beside every element."""
    return Stream(data=sint(build.f_bits), **label(build), last=bit())


def vector(build: BuildConfig) -> Stream:
    """One vector of F elements inside an engine."""
    return Stream(data=sint(build.f_bits), last=bit())


def pairs(build: BuildConfig) -> Stream:
    """A vector of F elements, two a beat."""
    return Stream(data=sint(build.f_bits), second=sint(build.f_bits), last=bit())


def delta_stream(build: BuildConfig) -> Stream:
    """F elements to be added to the residual vector; emit: the sum is wanted."""
    return Stream(data=sint(build.f_bits), emit=bit(), last=bit())


def prediction(build: BuildConfig) -> Stream:
    """What the head says about a position: the next token if `scored`, else only that it is done.

    In builds with a sampler also logprob (F): of that token or of the prompt's next one, 0 where it is not wanted.
    """
    more = dict(logprob=sint(build.f_bits)) if build.list_entries else {}
    return Stream(token=uint(build.token_bits), **label(build), **more)
