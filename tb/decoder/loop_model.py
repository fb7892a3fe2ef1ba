"""What the decoder says of one sequence that runs alone, with the taps of every position."""

from collections.abc import Iterator
from dataclasses import asdict

from llama2_myhdl.golden.fixed.decode import decode
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.spec.sequence import Beat


def fields(beat: Beat, seq: int) -> dict:
    """What the token stream carries of a beat."""
    return asdict(beat) | dict(seq=seq, last=beat.last)


def sequence(golden: FixedModel, job: Job) -> Iterator[tuple[dict, dict]]:
    """(taps, fields of the token beat) of every position up to the sequence's end."""
    golden.reset()
    taps = {}

    def forward(token: int, pos: int, scored: bool):
        taps.clear()
        return golden.forward(token, pos, taps, scored)

    choose = golden.sampler(job.request)
    for beat in decode(job.request, golden.shape.vocab_size, golden.shape.seq_len, forward, choose):
        yield dict(taps), fields(beat, job.seq)
