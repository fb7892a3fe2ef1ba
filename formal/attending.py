"""Proofs of attention: where rows and pairs wait, and when the caches are read."""

from dataclasses import replace

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.attention import attention, pair_queue
from llama2_myhdl.rtl.stream.stream import Stream, uint
from llama2_myhdl.spec.presets import preset

WIDTH = 1
PAIRS = 18  # more than fit in front of the RAM
BUILD = replace(preset("nano").build, max_seq=4)
QUEUES = dict(ring=("ring",), ram=("ram",), fifo=("fifo",), credit=("credit",))

PROOFS: list[Proof] = [
    Proof(
        "pair_queue",
        block_of(pair_queue, m=lambda: Stream(data=uint(WIDTH)), DEPTH=PAIRS),
        {**QUEUES, "pair_queue": ("pair_queue", "queue", "pair_queue_places")},
        dict(pair_queue=dict(F_WIDTH=WIDTH, F_CAPACITY=PAIRS, F_CREDIT_BITS=5)),
        induction=2,
        cover=24,
    ),
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
