"""All proofs."""

from llama2_myhdl.formal import adding, attending, decoding, multiplying, reading, streams
from llama2_myhdl.formal.proof import Proof

PROOFS: list[Proof] = [
    *streams.PROOFS,
    *decoding.PROOFS,
    *multiplying.PROOFS,
    *attending.PROOFS,
    *adding.PROOFS,
    *reading.PROOFS,
]
