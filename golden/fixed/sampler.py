"""The streaming sampler: temperature, top-k, top-p and min-p in one pass over the logits, and a short list behind it.

An item's cost u = -logit * log2(e) / temperature has 16 fraction bits: 2**-u is its probability but for the sum of all.
Integer part and fraction make it a weight, mantissa * 2**(28 - n): mantissa 1.16, n levels above a reference, which is
the smallest cost so far, rounded down to a multiple of 16 levels (a block). Running sums of weights are shifted right
when the reference falls.

The token comes out of a reservoir: item i takes the place of the one that is held with probability weight_i / D_i, D_i
the sum of all weights up to its own. So one pass draws from a distribution whose sum is known only behind it. Random
numbers are a function of seed, stream, item and position, so nothing of a sequence is kept but its position.

Where something is cut off, the reservoir runs over a list instead, of the items with the smallest costs in ascending
order. What it holds behind entry j is drawn from the first j, so top-p may say last how many there are.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally
from llama2_myhdl.golden.fixed.functions import exp2_neg
from llama2_myhdl.golden.fixed.threefry import threefry2x32
from llama2_myhdl.spec.formats import F_FRAC, F_MIN
from llama2_myhdl.spec.sampling import (
    BLOCK_BITS,
    COST_FRAC,
    FLOOR_OFF,
    LIST,
    LN2,
    LN_DIGITS,
    LN_STEPS,
    LOG_BITS,
    P_OFF,
    TOP_BITS,
    WEIGHT_FRAC,
    Registers,
)

MANTISSA_FRAC = P_FRAC = 16
MAX_SHIFT = 63
RANDOM_BITS = 32  # a word
CHUNK = 1 << 15  # positions drawn at a time: few enough that their words stay in the caches


class Draw(NamedTuple):
    """What is chosen from one vector of logits.

    logprob: natural logarithm (F) of the token's probability, or of the asked token's, in the softmax of the whole
    vocabulary at the sequence's temperature; overflow: the list was too short for what top-p or min-p keep.
    """

    token: int
    logprob: int = 0
    overflow: bool = False


@dataclass(frozen=True)
class Walk:
    """Items in the order in which they meet the reservoir, all int64 [items].

    token; item: the number that the random numbers take; mantissa (1.16) and n: of the weight; total, share: sums of
    the weights up to the item's own, and of the part p of them, 44 fraction bits below `block`, the reference then.
    """

    token: np.ndarray
    item: np.ndarray
    mantissa: np.ndarray
    n: np.ndarray
    total: np.ndarray
    share: np.ndarray
    block: np.ndarray

    def first(self, count: int) -> "Walk":
        """Its first items."""
        return Walk(*(values[:count] for values in vars(self).values()))


def costs(logits, registers: Registers) -> np.ndarray:
    """u of every logit (F), signed 36 bits with 16 fraction bits."""
    return -np.asarray(logits, dtype=np.int64) * registers.multiplier >> registers.shift


def _sums(terms, block) -> np.ndarray:
    """Running sums of int64 terms, shifted right by 16 for each block that the reference falls by (floor)."""
    sums, total, reference = np.empty_like(terms), 0, int(block[0])
    starts = np.flatnonzero(np.diff(block, prepend=block[0] + 1))
    for start, end in zip(starts, (*starts[1:], len(terms))):
        fall = reference - int(block[start])
        sums[start:end] = np.cumsum(terms[start:end]) + (total >> (fall << BLOCK_BITS))
        total, reference = int(sums[end - 1]), int(block[start])
    return sums


def walk(cost, token, item, p: int, block: int | None = None) -> Walk:
    """Items of these costs, in this order. block: the reference from the first item on; None: the smallest so far."""
    level = cost >> COST_FRAC
    mantissa = exp2_neg((cost & (1 << COST_FRAC) - 1) << F_FRAC - COST_FRAC)
    own = level >> BLOCK_BITS
    block = np.minimum.accumulate(own) if block is None else np.full_like(own, block)
    n = level - (block << BLOCK_BITS)
    shift = np.minimum(n, MAX_SHIFT)
    weight = mantissa << WEIGHT_FRAC - MANTISSA_FRAC >> shift
    part = mantissa * p << WEIGHT_FRAC - MANTISSA_FRAC - P_FRAC >> shift
    return Walk(token, item, mantissa, n, _sums(weight, block), _sums(part, block), block)


def vocabulary_walk(cost, p: int) -> Walk:
    """The whole vocabulary, in index order."""
    tokens = np.arange(len(cost))
    return walk(cost, tokens, tokens, p)


def thresholds(n, total) -> tuple[np.ndarray, np.ndarray]:
    """(top, shift) of items that meet the reservoir: 18 bits of the sum; s but for the random exponent z."""
    length = np.array([number.bit_length() for number in total.tolist()])
    return total >> length - TOP_BITS, MAX_SHIFT - n - length


def accepts(words, mantissa, top, shift) -> np.ndarray:
    """Which items take the reservoir: r * sum < weight, r in (0, 1) the random number. Arguments broadcast.

    r = rm * 2**-(16 + z + 1) with rm = 65536 .. 131071: unlikely items are taken as often as they should. What is held
    stays with an absolute resolution of 2**-17, so that an item with a lower probability of staying may never do so.
    Below s = 18 and above s = 19 the exponents alone decide, which the clipped shift says as well.
    """
    x0, x1 = words
    z = RANDOM_BITS - np.frexp(x0)[1]  # leading zeros
    rm = 1 << 16 | (x1 >> 16).astype(np.int64)
    return rm * top < mantissa << np.clip(shift + z, 17, 20)


def candidates(logits, registers: Registers, entries: int = LIST) -> tuple[Walk, Walk, bool]:
    """(what the token is drawn from, the walk over the whole vocabulary, overflow), the same for every position."""
    cost = costs(logits, registers)
    everything = vocabulary_walk(cost, registers.p)
    if registers.whole:
        return everything, everything, False
    tokens = np.argsort(cost, kind="stable")[: min(entries, len(cost))]
    kept = min(registers.k or len(tokens), len(tokens))
    items = len(logits) + np.arange(kept)  # behind those of the vocabulary
    cost, block = cost[tokens[:kept]], int(everything.block[-1])
    entry = walk(cost, tokens[:kept], items, registers.p, block)
    nucleus, short = kept, registers.p == P_OFF
    if registers.p < P_OFF:
        target = entry.share[-1] if registers.k else everything.share[-1]
        reached = np.flatnonzero(entry.total >= target)
        nucleus, short = (int(reached[0]) + 1, False) if reached.size else (kept, True)
    above = kept if registers.floor == FLOOR_OFF else int(np.count_nonzero(cost - cost[0] <= registers.floor))
    overflow = registers.k == 0 and len(logits) > entries and short and above == kept
    return entry.first(min(nucleus, above)), everything, overflow


def greedy(logits) -> int:
    """The first of the largest logits."""
    return int(np.argmax(logits))


def held(drawn_from: Walk, registers: Registers, position: int) -> int:
    """The token that the reservoir holds at the end: of the last item that took it."""
    words = threefry2x32(registers.key, (drawn_from.item, position))
    top, shift = thresholds(drawn_from.n, drawn_from.total)
    return int(drawn_from.token[np.flatnonzero(accepts(words, drawn_from.mantissa, top, shift))[-1]])


def log_probability(cost: int, everything: Walk) -> int:
    """Natural logarithm (F) of the probability of an item of that cost; `everything`: of the whole vocabulary.

    The sum's mantissa is brought to 2 by factors 1 + 2**-k, whose logarithms are a table. A certain token's would be
    -30 to 28, as its weight's mantissa is rounded and its cost is not: never above 0.
    """
    total, block = int(everything.total[-1]), int(everything.block[-1])
    length = total.bit_length()
    d, logarithm = total >> length - LOG_BITS, (length - WEIGHT_FRAC) * LN2
    for k in range(1, LN_STEPS + 1):
        t = d + (d >> k)
        if t < 1 << LOG_BITS:
            d, logarithm = t, logarithm - LN_DIGITS[k]
    above = int(cost) - (block << BLOCK_BITS + COST_FRAC)
    return min(max(-((above * LN2 >> COST_FRAC) + logarithm), F_MIN), 0)


def sample(logits, registers: Registers, position: int, entries: int = LIST, target: int | None = None) -> Draw:
    """The draw of one sequence at one position.

    logits: F [vocab]; position: word 1 of the counter; entries: of the list; target: the token whose log-probability
    is wanted instead of the chosen one's (0 for one out of the vocabulary).
    """
    drawn_from, everything, overflow = candidates(logits, registers, entries)
    if registers.greedy:
        token, overflow = greedy(logits), False
    else:
        token = held(drawn_from, registers, position)
    asked = token if target is None else target
    if asked >= len(logits):
        return Draw(token, 0, overflow)
    return Draw(token, log_probability(costs(logits[asked], registers), everything), overflow)


def sample_many(logits, registers: Registers, positions, entries: int = LIST) -> np.ndarray:
    """The tokens of `sample` at many positions [n], of the same logits: int64 [n].

    The walk backwards: the first item that accepts is the last one that does, and its position is done.
    """
    positions = np.asarray(positions, dtype=np.int64)
    if registers.greedy:
        return np.full(len(positions), greedy(logits))
    drawn_from, _, _ = candidates(logits, registers, entries)
    tokens = np.empty(len(positions), np.int64)
    for start in range(0, len(positions), CHUNK):
        part = slice(start, start + CHUNK)
        tokens[part] = _last_accepted(drawn_from, registers, positions[part])
    return tokens


def _last_accepted(drawn_from: Walk, registers: Registers, positions) -> np.ndarray:
    tokens, waiting = np.empty(len(positions), np.int64), np.arange(len(positions))
    top, shift = thresholds(drawn_from.n, drawn_from.total)
    for i in reversed(range(len(top))):
        words = threefry2x32(registers.key, (drawn_from.item[i], positions[waiting]))
        taken = accepts(words, drawn_from.mantissa[i], top[i], shift[i])
        tokens[waiting[taken]] = drawn_from.token[i]
        waiting = waiting[~taken]
        if not waiting.size:
            break
    return tokens


class Sampler:
    """A sequence's settings at work: `choose` of the decode model.

    logprobs: log-probabilities are wanted (else they are 0); entries: of the list; overflows: counts draws for which
    the list was too short.
    """

    def __init__(
        self, registers: Registers, logprobs: bool = False, entries: int = LIST, overflows: Tally | None = None
    ):
        self.registers, self.logprobs, self.entries = registers, logprobs, entries
        self.overflows = overflows or Tally()

    def __call__(self, logits, position: int, following: int | None = None) -> Draw:
        """The choice at a position; where the prompt says what follows, the most likely token, and nothing is drawn."""
        registers = self.registers if following is None else replace(self.registers, greedy=1)
        if registers.greedy and not self.logprobs:
            return Draw(greedy(logits))
        draw = sample(logits, registers, position, self.entries, following)
        self.overflows.count += draw.overflow
        return draw if self.logprobs else draw._replace(logprob=0)
