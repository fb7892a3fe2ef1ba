"""Proofs of attention: where rows and pairs wait, and when the caches are read."""

from dataclasses import replace

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.attention import attention, pair_queue
from llama2_myhdl.rtl.attention.sequencer import sequencer
from llama2_myhdl.rtl.attention.value_gate import value_gate
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.presets import preset

WIDTH = 1
PAIRS = 18  # more than fit in front of the RAM
BUILD = replace(preset("nano").build, max_seq=4)
QUEUES = dict(ring=("ring",), ram=("ram",), fifo=("fifo",), credit=("credit",))


def _value_gate():
    pins = {name: bit() for name in ("clk", "rst", "waiting", "last", "ends", "arrives", "permit", "step", "jump")}
    return value_gate, dict(**pins, head_dim=uint(5), INTERVAL=3, HEADS=2, AHEAD=2)


def _sequencer():
    pins = {name: bit() for name in ("clk", "rst", "waiting", "taken", "permit", "step", "first", "last")}
    return sequencer, dict(**pins, base=uint(2), pos=uint(3), addr=uint(5))


PROOFS: list[Proof] = [
    Proof(
        "pair_queue",
        block_of(pair_queue, m=lambda: Stream(data=uint(WIDTH)), DEPTH=PAIRS),
        {**QUEUES, "pair_queue": ("pair_queue", "queue", "pair_queue_places")},
        dict(pair_queue=dict(F_WIDTH=WIDTH, F_CAPACITY=PAIRS, F_CREDIT_BITS=5)),
        induction=2,
        cover=24,
    ),
    Proof("sequencer", _sequencer, dict(sequencer=("sequencer",)), induction=2),
    Proof("value_gate", _value_gate, dict(value_gate=("value_gate",)), dict(value_gate=dict(F_HEADS=2)), induction=2),
    Proof(
        "attention",
        block_of(attention, cfg=BUILD),
        dict(attention=("attention",)),
        dict(attention=dict(F_POS=2, F_BASE=2)),
        depth=20,
        cover=36,
        only_properties=True,
        free=("key_lane", "numerator", "leading_one", "reciprocal", "scaled", "banked_ram"),
    ),
]
