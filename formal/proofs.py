"""All proofs."""

from llama2_myhdl.formal import streams
from llama2_myhdl.formal.proof import Proof

PROOFS: list[Proof] = [*streams.PROOFS]
