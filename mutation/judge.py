"""The verdict on a mutant: its block's own tests, then a proof that it is the same hardware, then tests further off.

What is found is kept, and found again when what it rests on has changed: the tests that killed it, or all that did not.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.mutation.covers import KnownTest, nearest, text_of
from llama2_myhdl.mutation.equivalence import proved
from llama2_myhdl.mutation.plant import has
from llama2_myhdl.mutation.sample import Mutant
from llama2_myhdl.mutation.trial import REFUSED, SURVIVED, Outcome, Trials
from llama2_myhdl.syn.tools import ToolError

EQUIVALENT, WHOLE = "equivalent", "decoder"
NEAR, FAR = 6.0, 20.0  # CPU seconds of the tests that are tried before the proof, and behind it, when all pass
WHOLE_SECONDS = 60.0  # of a test of the decoder, at most


@dataclass(frozen=True)
class Verdict:
    """verdict: KILLED, HUNG, REFUSED, EQUIVALENT or SURVIVED; test: that failed; tried: those that ran or could have;
    seconds: of CPU time."""

    verdict: str
    test: str | None
    tried: int
    seconds: float


def within(tests: Iterable[KnownTest], seconds: float) -> list[KnownTest]:
    """The first tests, one at least, as long as all of them take no more than so many seconds."""
    chosen, spent = [], 0.0
    for test in tests:
        spent += test.seconds
        if chosen and spent > seconds:
            break
        chosen.append(test)
    return chosen


def further(tests: list[KnownTest]) -> list[KnownTest]:
    """Those of the other tests that are tried too: the cheapest, and the longest of the decoder that may be."""
    chosen = within(tests, FAR)
    whole = [test for test in tests if WHOLE in test.tops and test.seconds <= WHOLE_SECONDS and test not in chosen]
    return [*chosen, *whole[-1:]]


def applies(test: KnownTest, mutant: Mutant) -> bool:
    """Whether a test simulates a text of the block that has the place."""
    digests = {module.digest for module in test.modules if module.block == mutant.block}
    return any(has(text_of(digest), mutant.place) for digest in digests)


class Judge:
    """tests: the record; folder: for what is kept and for the files of trials."""

    def __init__(self, tests: list[KnownTest], folder: Path):
        self._tests, self._folder = tests, folder
        self._trials = Trials(folder / "trial")

    def cost(self, mutant: Mutant) -> float:
        """CPU seconds of the first test that a mutant meets."""
        return nearest(self._tests, mutant.block)[0].seconds

    def verdict(self, mutant: Mutant) -> tuple[Verdict, bool]:
        """The verdict, and whether it was known already."""
        tests = [test for test in nearest(self._tests, mutant.block) if applies(test, mutant)]
        near = within(tests, NEAR)
        far = further([test for test in tests if test not in near])
        kept = self._folder / "verdicts" / f"{_digest(repr(mutant))}.json"
        if kept.exists():
            known = json.loads(kept.read_text())
            found = Verdict(**known["verdict"])
            if known["rests_on"] == _rests_on(found, [*near, *far]):
                return found, True
        found = self._judge(mutant, near, far)
        kept.parent.mkdir(parents=True, exist_ok=True)
        entry = dict(verdict=asdict(found), rests_on=_rests_on(found, [*near, *far]))
        write_whole(kept, [json.dumps(entry).encode()])
        return found, False

    def _judge(self, mutant: Mutant, near: list[KnownTest], far: list[KnownTest]) -> Verdict:
        outcome = self._run(mutant, near)
        seconds, tried = outcome.seconds, len(near)
        if outcome.verdict == SURVIVED and self._same(mutant):
            return Verdict(EQUIVALENT, None, tried, seconds)
        if outcome.verdict == SURVIVED and far:
            outcome = self._run(mutant, far)
            seconds, tried = seconds + outcome.seconds, tried + len(far)
        return Verdict(outcome.verdict, outcome.test, tried, round(seconds, 2))

    def _run(self, mutant: Mutant, tests: list[KnownTest]) -> Outcome:
        slowest = max(test.seconds for test in tests)
        return self._trials.run(mutant.block, mutant.place, [test.node for test in tests], slowest)

    def _same(self, mutant: Mutant) -> bool:
        builds = (build for test in self._tests for build in test.builds)  # the cheapest may have another text of it
        build = next(build for build in builds if any(module.digest == mutant.text for module in build))
        try:
            return proved(mutant, build, self._folder / "proof")
        except ToolError:
            return False  # then it is a survivor, and somebody looks at it


def _rests_on(found: Verdict, tests: list[KnownTest]) -> str:
    """Changes with what the verdict rests on."""
    if found.verdict in (REFUSED, EQUIVALENT):
        return ""  # on the text alone, whose digest is the mutant's
    if found.test:
        tests = [test for test in tests if test.node == found.test]
    return _digest(repr([(test.node, test.digest) for test in tests]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
