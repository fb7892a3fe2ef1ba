"""Proofs of a bus: how runs are cut into bursts, and that the beats of reads have places."""

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.axi import bursts, places
from llama2_myhdl.spec.axi import PAGE, ReadMaster

REST_BITS = 24  # of a run: 16 M words, far more than a burst has
PLACES = 512  # of the default, whose bursts are shorter


def _bursts(name, data_bits, burst) -> Proof:
    """At the widths of a master, all addresses and all runs."""
    axi = ReadMaster(data_bits=data_bits, burst=burst, depth=2 * burst)
    page = PAGE // axi.word_bytes
    return Proof(
        name,
        block_of(bursts, word_address_bits=axi.word_address_bits, rest_bits=REST_BITS, burst=burst),
        dict(bursts=("bursts",)),
        dict(bursts=dict(F_PAGE=page.bit_length() - 1)),
        induction=2,
    )


PROOFS: list[Proof] = [
    _bursts("bursts-64", 128, 64),
    _bursts("bursts-page", 128, 256),
    Proof("places", block_of(places, word_address_bits=4, depth=PLACES), dict(places=("places",)), induction=2),
]
