"""Proofs of the residual vector."""

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.layer import residual
from llama2_myhdl.spec.presets import preset

BUILD = preset("nano").build

SETS = dict(ram=("ram",), residual=("residual",))

PROOFS: list[Proof] = [
    Proof("residual", block_of(residual, cfg=BUILD), SETS, depth=11, induction=2, cover=20),
]
