"""Proofs of the matrix-vector product: which beat is what, where activations and rows wait."""

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.matvec import activation_buffer, issue, matvec, narrow, results
from llama2_myhdl.spec.kinds import KIND_BITS
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build
PLACES = 3
SUM_BITS = BUILD.acc_bits + BUILD.exp_bits  # of a row's sum and its exponent
RING = dict(DEPTH=3, PARTS=2)
WORDS = dict(ram=("ram",), activation_buffer=("activation_buffer",))
QUEUES = dict(ring=("ring",), fifo=("fifo",))

PROOFS: list[Proof] = [
    Proof(
        "issue",
        block_of(issue, cfg=BUILD),
        dict(issue=("issue",)),
        dict(issue=dict(F_KIND=KIND_BITS, F_ROWS=6, F_BEATS=4)),
        induction=2,
        cover=16,
    ),
    Proof(
        "activation_buffer",
        block_of(activation_buffer, cfg=BUILD, **RING),
        WORDS,
        induction=2,
        cover=14,
    ),
    Proof(
        "results",
        block_of(results, cfg=BUILD, DEPTH=PLACES, SCALES=2),
        {**QUEUES, "results": ("results_ends", "queue", "results")},
        dict(results=dict(
            F_SUM=SUM_BITS, F_WIDTH=KIND_BITS + 1, F_CAPACITY=PLACES + narrow.LATENCY, F_PLACES=PLACES,
            F_STAGES=narrow.LATENCY,
        )),
        induction=2,
        only_properties=True,
    ),
    Proof(
        "matvec",
        block_of(matvec, cfg=BUILD),
        {**QUEUES, "credit": ("credit",), "matvec": ("matvec",)},
        dict(matvec=dict(F_CREDIT_BITS=5)),
        induction=2,
        free=("activation_buffer", "mac_array", "narrow"),
        only_properties=True,
    ),
]
