"""Which faults are planted: a sample over all blocks that keeps what it has when it grows.

Each block's places are shuffled by the seed and taken kind by kind, so that a few of them are of many kinds. Every
block gives LEAST of them where it has as many, and fewer of a sample that is too small for it; the rest goes to the
blocks by their numbers of places.
"""

import random
import re
from dataclasses import dataclass

from llama2_myhdl.mutation.covers import KnownTest, nearest, text_of
from llama2_myhdl.mutation.places import KINDS, Place, places

LEAST = 4


@dataclass(frozen=True)
class Mutant:
    """A fault: the block, the digest of the text that it was found in, and the place."""

    block: str
    text: str
    place: Place


def text_to_change(tests: list[KnownTest], block: str) -> str:
    """Digest of the text of a block in which places are looked for: the longest of those that tests of it alone
    simulate, or where there are none, other tests; one without parameters if there is one, as more can be proved of it.
    """
    alone = [test for test in tests if block in test.tops] or nearest(tests, block)
    texts = {module.digest for test in alone for module in test.modules if module.block == block}
    return max(texts, key=lambda digest: (not has_parameters(text_of(digest)), len(text_of(digest)), digest))


def has_parameters(text: str) -> bool:
    """Whether a module's instances give it values."""
    return re.search(r"^ *parameter ", text, re.M) is not None


def places_in(tests: list[KnownTest], block: str, text: str) -> list[Place]:
    """The places of a block's text; of one that no test has as its top without the defaults of parameters, in whose
    place every instance puts a value of its own."""
    top = any(block in test.tops for test in tests)
    return [place for place in places(text_of(text)) if top or not place.line.startswith("parameter ")]


def ordered(found: list[Place], seed: str) -> list[Place]:
    """The places shuffled, one of each kind after the other."""
    rng, by_kind = random.Random(seed), {}
    for place in found:
        by_kind.setdefault(place.kind, []).append(place)
    kinds = [kind for kind in KINDS if kind in by_kind]
    rng.shuffle(kinds)
    for kind in kinds:
        rng.shuffle(by_kind[kind])
    most = max(map(len, by_kind.values()), default=0)
    return [by_kind[kind][k] for k in range(most) for kind in kinds if k < len(by_kind[kind])]


def shares(sizes: dict[str, int], count: int) -> dict[str, int]:
    """How many places each block gives to a sample of about so many; sizes: how many it has."""
    each = min(LEAST, max(count // max(len(sizes), 1), 1))
    least = {block: min(size, each) for block, size in sizes.items()}
    left, rest = count - sum(least.values()), sum(sizes.values()) - sum(least.values())
    more = max(left, 0) / rest if rest else 0
    return {block: least[block] + round(min(more, 1) * (size - least[block])) for block, size in sizes.items()}


def sample(tests: list[KnownTest], blocks: list[str], count: int, seed: int) -> list[Mutant]:
    """About `count` faults in these blocks, the first of every block, then the second of each, and so on."""
    texts = {block: text_to_change(tests, block) for block in blocks}
    found = {block: ordered(places_in(tests, block, texts[block]), f"{seed} {block}") for block in blocks}
    wanted = shares({block: len(of_block) for block, of_block in found.items()}, count)
    rounds = range(max(wanted.values(), default=0))
    return [Mutant(block, texts[block], found[block][k]) for k in rounds for block in blocks if k < wanted[block]]
