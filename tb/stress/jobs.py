"""Sequences of every kind, good and bad, what the integer model says of them, and what they are to cost."""

import random

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.spec import errors
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import Beat
from llama2_myhdl.spec.stops import MORE_STOPS, STOP_ERROR
from tb.decoder.loop_model import fields, sequence
from tb.records import record

GOOD = "good"
BAD = {"token out of range": errors.BAD_TOKEN, "prompt too long": errors.TOO_LONG, "settings": errors.BAD_SETTINGS}


def wishes(rng: random.Random, vocab: int, entries: int) -> dict:
    """Settings of any kind that a list of so many entries serves."""
    if not entries:
        return {}
    sampling = Sampling(
        temperature=rng.choice((0, 1 / 64, 0.5, 1.0, 3.0, 1024.0, rng.uniform(0.1, 4))),
        top_k=rng.choice((0, 0, rng.randint(1, entries))),
        top_p=rng.choice((1, 1, 0, rng.random())),
        min_p=rng.choice((0, 0, 1, rng.random())),
        seed=rng.getrandbits(32),
        stream=rng.getrandbits(32),
    )
    stops = tuple(rng.randrange(vocab) for _ in range(rng.choice((0, 0, rng.randint(1, MORE_STOPS)))))
    return dict(sampling=sampling, stops=stops, new_tokens=rng.choice((0, 0, 0, 6)), logprobs=rng.random() < 0.5)


def job(rng: random.Random, shape: ModelShape, build: BuildConfig, kind: str = GOOD) -> Job:
    """A sequence of a kind; gaps and delays in its prompt are as random as all else."""
    vocab, context = shape.vocab_size, shape.seq_len
    prompt = [rng.randrange(vocab) for _ in range(rng.randint(1, min(6, context)))]
    steps, wanted = rng.choice((0, 0, rng.randint(1, context))), wishes(rng, vocab, build.list_entries)
    if kind == "token out of range":
        prompt[rng.randrange(len(prompt))] = rng.randrange(vocab, 1 << build.token_bits)
        steps = 0
    elif kind == "prompt too long":
        prompt, steps = [rng.randrange(vocab) for _ in range(context + rng.randint(1, 4))], 0
    elif kind == "settings":
        wanted["sampling"] = Sampling(1.0, top_k=rng.randint(build.list_entries + 1, 64))
    pauses = dict(delay=rng.choice((0, rng.randrange(4000))), gap=rng.choice((0, 0, rng.randrange(40), 900)))
    return Job(prompt, steps, score=rng.random() < 0.5, wishes=wanted, **pauses)


def kinds_of(shape: ModelShape, build: BuildConfig) -> tuple[str, ...]:
    """The kinds of bad sequences that there are: tokens that do not fit, settings that the list is too short for."""
    possible = {
        "token out of range": shape.vocab_size < 1 << build.token_bits,
        "settings": 0 < build.list_entries < 64,
    }
    return tuple(kind for kind in BAD if possible.get(kind, True))


def is_misset(job: Job, entries: int) -> bool:
    """The hardware refuses the settings of its sampler."""
    return entries > 0 and job.request.sampling.registers().fault(entries) is not None


def expected(golden: FixedModel, job: Job) -> list[dict]:
    """What the token stream carries of a job."""
    if is_misset(job, golden.build.list_entries):
        return [fields(Beat(job.prompt[0], 0, scored=False, sampled=False, stop=STOP_ERROR), job.seq)]
    return [beat for _, beat in sequence(golden, job)]


def weight_beats(shape: ModelShape, lanes: int, beats: list[dict]) -> int:
    """Beats of weights that pass for these token beats: none twice, none too few."""
    return sum(shape.beats(lanes, classifier=beat["scored"]) for beat in beats)


def compare(golden: FixedModel, tellings: list) -> int:
    """Every field of every beat of finished jobs (`crowd.Told`); returns how many beats."""
    for told in tellings:
        assert told.fields == expected(golden, told.job), told.job
        record("compared", where="tokens", values=sum(len(beat) for beat in told.fields))
    return sum(len(told.beats) for told in tellings)
