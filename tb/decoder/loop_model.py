"""What the decoder says of one sequence that runs alone, for its prompt or, with the taps of each position, a job."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

from llama2_myhdl.golden.fixed.decode import Choose, decode
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.spec.sampling import Registers
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.spec.stops import STOP_ERROR, STOP_IDS


def fields(beat: Beat, seq: int) -> dict:
    """What the token stream carries of a beat."""
    return asdict(beat) | dict(seq=seq, last=beat.last)


def request_of(prompt: list[dict]) -> Request:
    """What the beats of a prompt ask for, but for the settings of its sampler."""
    first = prompt[0]
    return Request(
        prompt=tuple(beat["token"] for beat in prompt),
        steps=first["steps"],
        score=bool(first["score"]),
        stops=tuple(first[f"stop_{k}"] for k in range(first["stops"])),
        new_tokens=first["new_tokens"],
        logprobs=bool(first["logprobs"]),
    )


def answered(
    prompt: list[dict],
    entries: int,
    vocab_size: int,
    seq_len: int,
    forward: Callable,
    choose: Choose,
    stops=STOP_IDS,
) -> Iterator[Beat]:
    """The beats of the sequence that the beats of a prompt ask for; the others as for `golden.fixed.decode.decode`.

    entries: of the sampler's list. Settings that it does not have pass as token 0, as a token out of range does.
    """
    if Registers.among(prompt[0]).fault(entries):
        forward(0, 0, False)
        yield Beat(prompt[0]["token"], 0, scored=False, sampled=False, stop=STOP_ERROR)
        return
    yield from decode(request_of(prompt), vocab_size, seq_len, forward, choose, stops)


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
