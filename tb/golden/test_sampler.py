"""The sampler against its definition in plain integers, at the edges of its settings, and its log-probabilities."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.golden.fixed.arith import to_float
from llama2_myhdl.golden.fixed.sampler import CHUNK, Draw, Sampler, candidates, greedy, sample, sample_many
from llama2_myhdl.golden.sampler_statistics import exact, implied, total_variation
from llama2_myhdl.spec.formats import F_MAX, F_MIN
from llama2_myhdl.spec.sampling import FLOOR_OFF, LIST, P_OFF, Registers, Sampling
from tb.golden.sampler_oracle import drawn

ONE = 1 << 20  # F
ULP = 2.0**-20


def logits_of(rng, size, spread):
    return np.clip(np.round(rng.normal(0, spread, size) * ONE), F_MIN, F_MAX).astype(np.int64)


def random_registers(rng):
    """Any the hardware takes, each cut there half of the time."""
    return Registers(
        greedy=int(rng.random() < 0.1),
        scale=int(rng.integers(1 << 16)),
        shift=int(rng.choice([14, 16, 19, 20, 20, 21, 24, 30])),
        k=int(rng.choice([0, rng.integers(1, LIST + 1)])),
        p=int(rng.choice([P_OFF, rng.integers(P_OFF), 0, P_OFF - 1], p=[0.5, 0.4, 0.05, 0.05])),
        floor=int(rng.choice([FLOOR_OFF, rng.integers(12 << 16), 0], p=[0.5, 0.45, 0.05])),
        seed=int(rng.integers(1 << 63)),
    )


def random_logits(rng):
    """Vectors of all sizes and spreads; with ties, ever larger logits (the reference falls), the ends of the range."""
    size = int(rng.choice([1, 2, 5, 63, 64, 65, 100]))
    logits = logits_of(rng, size, rng.choice([0, 0.1, 1, 8, 100, 1000]))
    way = rng.integers(5)
    if way == 0:
        logits = logits // ONE * ONE
    elif way == 1:
        logits = np.sort(logits)
    elif way == 2:
        logits = np.linspace(F_MIN, F_MAX, size).astype(np.int64)
    return logits


def test_draws_are_those_of_the_definition():
    """Token, log-probability and overflow, of 1500 random settings and logits; each mode, and lists too short."""
    rng, seen = np.random.default_rng(3), Counter()
    for number in range(1500):
        logits, registers = random_logits(rng), random_registers(rng)
        position, entries = int(rng.integers(1 << 32)), int(rng.choice([8, 64]))
        registers = replace(registers, k=min(registers.k, entries))
        target = int(rng.integers(len(logits))) if rng.random() < 0.3 else None
        found = sample(logits, registers, position, entries, target)
        assert found == drawn(logits, registers, position, entries, target), number
        mode = "greedy" if registers.greedy else "whole" if registers.whole else "list"
        seen[mode] += 1
        seen["overflow"] += found.overflow
        seen["saturated"] += found.logprob == F_MIN
        seen["falls"] += len(set(candidates(logits, registers, entries)[1].block)) > 2
    assert min(seen[name] for name in ("greedy", "whole", "list", "overflow", "saturated", "falls")) > 20, seen


@pytest.mark.parametrize("spread", [0.5, 4])
def test_many_draws_are_single_ones(spread):
    rng = np.random.default_rng(4)
    for _ in range(60):
        logits, registers = logits_of(rng, 70, spread), random_registers(rng)
        positions = rng.integers(0, 1 << 32, 25)
        singly = [sample(logits, registers, int(position)).token for position in positions]
        assert sample_many(logits, registers, positions).tolist() == singly


def test_many_draws_in_chunks():
    """More than one chunk, and none at all."""
    logits, registers = logits_of(np.random.default_rng(5), 10, 1), Sampling(1.0).registers()
    tokens = sample_many(logits, registers, np.arange(CHUNK + 9))
    assert tokens.shape == (CHUNK + 9,)
    for position in (0, CHUNK - 1, CHUNK, len(tokens) - 1):
        assert tokens[position] == sample(logits, registers, position).token
    assert sample_many(logits, registers, []).shape == (0,)


def test_seed_stream_and_position_count():
    """Each of them alone makes other draws; the same ones, the same."""
    logits, positions = np.zeros(64, np.int64), np.arange(200)
    tokens = [
        sample_many(logits, Sampling(1.0, seed=seed, stream=stream).registers(), positions + behind).tolist()
        for seed, stream, behind in ((1, 2, 0), (1, 2, 0), (2, 2, 0), (1, 3, 0), (2, 1, 0), (1, 2, 1000))
    ]
    assert tokens[0] == tokens[1]
    for one in range(1, 6):
        for other in range(one):
            equal = sum(a == b for a, b in zip(tokens[one], tokens[other]))
            assert (one, other) == (1, 0) or equal < 15  # 200 / 64 by chance


# edges


def tokens_of(logits, settings, draws=2000, entries=LIST):
    return set(sample_many(logits, settings.registers(), np.arange(draws), entries).tolist())


def distance(logits, settings, entries=LIST):
    """Of the implied distribution from the exact one."""
    return total_variation(implied(logits, settings.registers(), entries), exact(logits, settings, entries))


TIED = np.array([0, 3, 1, 3, 2, 3, 2, 0]) * ONE


def test_ties():
    """Of equal logits the first are the greedy one and stay in the list; those that stay are equally likely."""
    assert greedy(TIED) == 1
    assert tokens_of(TIED, Sampling()) == tokens_of(TIED, Sampling(5.0, top_k=1)) == {1}
    assert tokens_of(TIED, Sampling(5.0, top_k=2)) == {1, 3}
    assert tokens_of(TIED, Sampling(5.0, top_k=4)) == {1, 3, 5, 4}
    assert tokens_of(TIED, Sampling(1 / 64)) == {1, 3, 5}
    assert tokens_of(TIED, Sampling(1.0, min_p=1.0)) == {1, 3, 5}
    probabilities = implied(TIED, Sampling(1.0, top_k=3).registers())
    np.testing.assert_allclose(probabilities[[1, 3, 5]], 1 / 3, rtol=2e-5)


@pytest.mark.parametrize("value", [0, 5 * ONE, F_MIN, F_MAX])
def test_all_equal_logits(value):
    logits = np.full(100, value)
    assert greedy(logits) == 0
    np.testing.assert_allclose(implied(logits, Sampling(0.7).registers()), 1 / 100, rtol=1e-4)
    assert tokens_of(logits, Sampling(0.7)) == set(range(100))
    assert tokens_of(logits, Sampling(0.7, top_k=5)) == set(range(5))
    assert tokens_of(logits, Sampling(0.7, top_p=0.095)) == set(range(10))
    for settings in (Sampling(0.7, top_p=0.9), Sampling(0.7, min_p=1.0)):  # the list is too short
        assert tokens_of(logits, settings) == set(range(LIST))


@pytest.mark.parametrize("logits", [logits_of(np.random.default_rng(n), 50, 5) for n in range(8)])
def test_what_equals_greedy(logits):
    """A very small temperature (the largest logit leads by more than 1/4 here), k = 1, p = 0, and a tiny p."""
    lead = np.diff(np.sort(logits)[-2:])[0]
    if lead > ONE / 4:
        assert tokens_of(logits, Sampling(1 / 64)) == {greedy(logits)}
    for settings in (Sampling(1.5, top_k=1), Sampling(1.5, top_p=0), Sampling(1.5, top_p=1e-6), Sampling(1.5, 40, 0)):
        assert tokens_of(logits, settings) == {greedy(logits)}


def test_a_very_large_temperature():
    """Almost uniform: as the exact distribution, and all tokens come."""
    logits = logits_of(np.random.default_rng(6), 60, 5)
    assert distance(logits, Sampling(1024)) < 3e-5
    assert total_variation(implied(logits, Sampling(1024).registers()), np.full(60, 1 / 60)) < 0.01
    assert tokens_of(logits, Sampling(1024)) == set(range(60))


def test_what_cuts_nothing_off():
    """p = 1, and a min_p too small for its register: draws of the whole vocabulary. k above it: as likely."""
    logits = logits_of(np.random.default_rng(7), 20, 2)
    for settings in (Sampling(1.0, top_p=1), Sampling(1.0, top_p=1.0 - 1e-7), Sampling(1.0, min_p=1e-12)):
        assert settings.registers() == Sampling(1.0).registers()
    for settings in (Sampling(1.0, top_k=LIST), Sampling(1.0, top_k=20), Sampling(1.0, min_p=1e-9)):
        assert not settings.registers().whole
        assert total_variation(implied(logits, settings.registers()), exact(logits, Sampling(1.0))) < 3e-5


@pytest.mark.parametrize("value", [F_MIN, -3 * ONE // 7, 0, 1, F_MAX])
@pytest.mark.parametrize(
    "settings", [Sampling(), Sampling(0.3), Sampling(2.0, 3), Sampling(2.0, 0, 0.0), Sampling(9, 5, 0.5, 1)]
)
def test_one_token(settings, value):
    """It is drawn, always, with a probability of 1."""
    found = sample([value], settings.registers(), 5)
    assert found.token == 0 and not found.overflow
    assert abs(found.logprob) <= 30


@pytest.mark.parametrize(
    ("settings", "overflow"),
    [
        (Sampling(1.0), False),
        (Sampling(1.0, top_k=LIST), False),
        (Sampling(1.0, top_p=0.5), False),
        (Sampling(1.0, top_p=0.95), True),
        (Sampling(1.0, top_p=0.95, min_p=0.5), False),
        (Sampling(1.0, top_p=0.95, min_p=0.01), True),
        (Sampling(1.0, top_k=LIST, top_p=0.95), False),
        (Sampling(1.0, min_p=0.01), True),
        (Sampling(1.0, min_p=0.5), False),
        (Sampling(), False),
    ],
)
def test_a_list_that_is_too_short(settings, overflow):
    """It is said, and the tokens are those of the list; a vocabulary no larger than the list needs no more."""
    logits = -np.arange(100) * ONE // 50  # all but equally likely
    assert sample(logits, settings.registers(), 0).overflow == overflow
    assert not sample(logits[:LIST], settings.registers(), 0).overflow
    assert distance(logits, settings) < 1e-4


@pytest.mark.parametrize("bits", [10, 15, 20, 30])
def test_an_unlikely_token(bits):
    """Behind the likely one it is taken as often as it should; in front of it, it stays with a resolution of 2**-17.

    The list is in the order of falling probabilities, so there it is behind it.
    """
    small, whole, cut = -round(bits * np.log(2) * ONE), Sampling(1.0).registers(), Sampling(1.0, top_k=2).registers()
    probability = 1 / (1 + 2.0**bits)
    for found in (
        implied(np.array([0, small]), whole)[1],
        implied(np.array([0, small]), cut)[1],
        implied(np.array([small, 0]), cut)[0],
    ):
        assert found == pytest.approx(probability, rel=2e-4)
    assert implied(np.array([small, 0]), whole)[0] == pytest.approx(probability, abs=2.0**-16)


# log-probabilities


def log_softmax(logits, temperature=1.0):
    x = to_float(logits) / temperature
    x = x - x.max()
    return x - np.log(np.sum(np.exp(x)))


@pytest.mark.parametrize("temperature", [0, 0.3, 0.7, 1.0, 1.5, 7])
def test_error_of_the_log_probability(temperature):
    """Against float64, in F: a rounded part, and one that grows with it, as the temperature has 17 bits."""
    rng, worst, relative = np.random.default_rng(8), 0.0, 0.0
    registers = Sampling(temperature).registers()
    for number in range(120):
        logits = logits_of(rng, int(rng.integers(1, 600)), (0.5, 2, 5)[number % 3])
        targets = {0, greedy(logits), int(np.argmin(logits)), int(rng.integers(len(logits)))}
        for target in targets:
            wanted = log_softmax(logits, temperature or 1.0)[target]
            error = sample(logits, registers, 0, target=target).logprob * ULP - wanted
            worst, relative = max(worst, abs(error)), max(relative, (abs(error) - 4e-5) / max(-wanted, 1e-9))
            assert abs(error) < 4e-5 + 2.0**-17 * -wanted
    print(f"temperature {temperature}: {worst:.2e}, beyond 4e-5 {relative:.2e} of the value")
    assert worst > 1e-6


def test_the_log_probability_is_that_of_the_whole_vocabulary():
    """Before top-k, top-p and min-p; of the token that is drawn, or of the one that is asked for."""
    logits = logits_of(np.random.default_rng(9), 50, 2)
    whole, cut = Sampling(0.8).registers(), Sampling(0.8, 3, 0.5, 0.1).registers()
    for position in range(20):
        token, logprob, _ = sample(logits, cut, position)
        assert logprob == sample(logits, whole, position, target=token).logprob
        assert logprob == sample(logits, whole, 0, target=token).logprob
    assert sample(logits, whole, 0, target=50).logprob == 0  # a token that there is not


# the decode model's `choose`


def test_sampler_of_a_sequence():
    logits, settings = logits_of(np.random.default_rng(10), 50, 2), Sampling(1.5, top_k=20, seed=3)
    draws = [sample(logits, settings.registers(), position) for position in range(30)]
    assert [Sampler(settings.registers(), logprobs=True)(logits, position) for position in range(30)] == draws
    assert [Sampler(settings.registers())(logits, position) for position in range(30)] == [Draw(d.token) for d in draws]
    assert len({draw.token for draw in draws}) > 5
    assert Sampler(Sampling().registers())(logits, 3) == Draw(greedy(logits))
    assert Sampler(Sampling().registers(), logprobs=True)(logits, 3) == sample(logits, Sampling().registers(), 3)


def test_where_the_prompt_says_what_follows():
    """The most likely token, and the log-probability of the one that follows, at the sequence's temperature."""
    logits, settings = logits_of(np.random.default_rng(11), 50, 2), Sampling(1.5, top_p=0.5)
    for following in (0, 17, 49):
        draw = Sampler(settings.registers(), logprobs=True)(logits, 4, following)
        assert draw.token == greedy(logits)
        assert draw.logprob == sample(logits, settings.registers(), 4, target=following).logprob
        assert Sampler(settings.registers())(logits, 4, following) == Draw(greedy(logits))


def test_overflows_are_counted():
    sampler = Sampler(Sampling(1.0, top_p=0.95).registers(), entries=8)
    for position in range(5):
        sampler(np.zeros(50, np.int64), position)
    sampler(np.eye(50, dtype=np.int64)[0] * 20 * ONE, 5)
    sampler(np.zeros(50, np.int64), 6, following=1)
    assert sampler.overflows.count == 5
