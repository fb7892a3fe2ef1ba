"""How many cycles a vector is on its way between two matrices: sums of the constants of the blocks that it passes."""

from dataclasses import dataclass

from llama2_myhdl.rtl.attention import attention, key_side, query_queue, row_intake, value_intake
from llama2_myhdl.rtl.attention.cache_rows import value_latency
from llama2_myhdl.rtl.decode import decode_loop
from llama2_myhdl.rtl.embedding import embedding
from llama2_myhdl.rtl.ffn import swiglu
from llama2_myhdl.rtl.layer import residual
from llama2_myhdl.rtl.logits import argmax
from llama2_myhdl.rtl.matvec import activation_buffer, matvec
from llama2_myhdl.rtl.norm import rmsnorm
from llama2_myhdl.rtl.quant import quantiser
from llama2_myhdl.rtl.rope import rope
from llama2_myhdl.rtl.stream import skid
from llama2_myhdl.spec.config import BuildConfig

START = 4  # from a packet's arrival to the first beat of its gains: intake, schedule, the matvec's two registers
GAINS_SETTLE = 3  # from the last beat of gains to the first one that the norm may use (rtl/norm/gain_buffer.py)


@dataclass(frozen=True)
class Ways:
    """Cycles of a build, from one transfer to another."""

    row: int  # last beat of a row to the row itself
    summed: int  # a row of Wo or W2 to its element of x at the norm, or at the station's exit
    normed: int  # an element at the norm to that at the block quantiser
    word: int  # a vector's last element at the block quantiser to the first beat that meets its first word
    pace: int  # first word to the next one
    gated: int  # second row of a pair of W1 and W3 to the element at the block quantiser
    query: int  # last row of a query head to its place in attention's queue
    value: int  # last row of a value head to its strobe in attention
    begun: int  # a query head's place in the queue to its first score at the values
    looked_up: int  # a score at the values to the value row, where the row is read and does not come just then
    divided: int  # a head's last value row to its first pair at the block quantiser
    pushed: int  # a query head's place in the queue to the first key row that is read for it
    predicted: int  # last row of the classifier to the prediction
    requested: int  # a prediction to the first element of the next token's packet at the first station
    passed_on: int  # an element at a station's exit to the next station


def ways(build: BuildConfig) -> Ways:
    """Those of a build."""
    engine = build.engine
    heads = quantiser.latency(build.max_head_dim, build.max_head_dim)
    skidded = skid.LATENCY
    return Ways(
        row=matvec.latency(build.lanes),
        summed=residual.LATENCY,
        normed=rmsnorm.LATENCY,
        word=quantiser.latency(build.lanes, build.quant_lanes) + activation_buffer.FIRST,
        pace=build.lanes // build.quant_lanes,
        gated=swiglu.LATENCY - 1,
        query=rope.LATENCY + heads + row_intake.LATENCY,
        value=heads + value_intake.LATENCY,
        begun=key_side.latency(engine),
        looked_up=value_latency(engine),
        divided=attention.VALUE_LATENCY - value_intake.LATENCY,
        pushed=query_queue.LATENCY,
        predicted=argmax.LATENCY,
        requested=decode_loop.LATENCY + embedding.latency(build) + skidded,
        passed_on=skidded,
    )
