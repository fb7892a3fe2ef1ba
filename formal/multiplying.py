"""Proofs of the matrix-vector product's control."""

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.matvec import issue
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build

PROOFS: list[Proof] = [
    Proof("issue", block_of(issue, cfg=BUILD), dict(issue=("issue",)), dict(issue=dict(F_KIND=4, F_ROWS=6, F_BEATS=4)), depth=20, induction=2, cover=30),
]
