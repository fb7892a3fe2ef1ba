"""What `make bench` runs: machines (a build and its model), and on each of them sequences of tokens."""

import random
from dataclasses import dataclass

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.spec.sequence import Beat

EARLY = 32  # positions whose cycles are averaged
LONG = 256
SEED = 2024  # of the random arrivals
MOST_PROMPT, MOST_TOLD = 24, 20  # tokens of a sequence that arrives at random
MOST_DELAY, MOST_GAP = 30_000, 2_000  # cycles before its first token, and between two of its prompt


@dataclass(frozen=True)
class Scenario:
    """kind: "decode" (`sequences` stories told freely side by side), "prefill" (one prompt of which only the last
    position is scored) or "arrivals" (sequences that come and go at random times; afterwards each one alone).

    positions: of each sequence; trace: first and last position of which the cycle table is kept. Tracing is slow: runs
    of several stations that are traced are for pictures only.
    """

    kind: str
    positions: int = 0
    sequences: int = 1
    trace: tuple[int, int] | None = None

    @property
    def key(self) -> str:
        return " ".join([self.kind, *([str(self.positions)] if self.positions else []), f"x{self.sequences}"])

    @property
    def title(self) -> str:
        if self.kind == "prefill":
            return f"prompt of {self.positions} tokens"
        if self.kind == "arrivals":
            return f"{self.sequences} sequences at random times"
        told = f"{self.positions} positions"
        return told if self.sequences == 1 else f"{self.sequences} sequences, {told} each"


@dataclass(frozen=True)
class Machine:
    """One build, the model that it runs, and the scenarios, one after the other in one simulation."""

    model: str
    lanes: int
    engines: int
    sequences: int
    scenarios: tuple[Scenario, ...]

    @property
    def build(self) -> BuildConfig:
        return build_of(self.model, lanes=self.lanes, engines=self.engines, sequences=self.sequences)

    @property
    def key(self) -> str:
        return f"{self.model}/{self.lanes}/{self.engines}"

    @property
    def title(self) -> str:
        model = "shipped model" if self.model == "default" else self.model
        return f"{model}, {self.lanes} lanes, E = {self.engines}"


DECODE_EARLY, DECODE_LONG, DECODE_BIG = (Scenario("decode", n) for n in (EARLY, LONG, 3))
TRACED = Scenario("decode", EARLY, trace=(EARLY - 1, EARLY - 1))
PREFILL, ALONE, TOGETHER = Scenario("prefill", 64), Scenario("decode", 48), Scenario("decode", 48, 5)
ARRIVALS = Scenario("arrivals", sequences=5)
WAVE, VOICES = PICTURED = Scenario("prefill", 13, trace=(0, 11)), Scenario("decode", 8, 5, trace=(4, 6))
FULL = (
    Machine("stories260K", 64, 5, 8, (WAVE, VOICES, PREFILL, ALONE, TOGETHER, ARRIVALS)),
    Machine("stories15M", 16, 1, 1, (DECODE_BIG,)),
    Machine("stories260K", 64, 1, 1, (TRACED, DECODE_LONG, PREFILL)),
    Machine("stories260K", 64, 2, 1, (PREFILL,)),
    Machine("stories260K", 64, 3, 1, (PREFILL,)),
    Machine("stories260K", 16, 1, 1, (DECODE_EARLY,)),
    Machine("default", 64, 1, 1, (DECODE_EARLY,)),
)
QUICK = (
    Machine("default", 64, 1, 1, (Scenario("decode", 12),)),
    Machine("nano", 4, 1, 2, (Scenario("prefill", 14), Scenario("decode", 12), Scenario("decode", 12, 2))),
    Machine("nano", 4, 2, 4, (Scenario("prefill", 14), Scenario("decode", 12), Scenario("decode", 12, 4))),
)


class Stories:
    """What the integer model says to jobs, each asked for once."""

    def __init__(self, golden: FixedModel):
        self._golden, self._known = golden, {}
        self.shape = golden.shape

    def beats(self, job: Job) -> list[Beat]:
        """Every beat of the token stream."""
        request = job.request
        if request not in self._known:
            self._known[request] = list(self._golden.decode(request))
        return self._known[request]

    def lasting(self, count: int, positions: int) -> list[int]:
        """The first `count` tokens that open different stories of at least `positions` positions, from token 1 on."""
        found, seconds = [], set()
        for token in range(1, self.shape.vocab_size):
            told = self.beats(Job([token], positions))
            if len(told) == positions and told[0].token not in seconds:
                found.append(token)
                seconds.add(told[0].token)
            if len(found) == count:
                return found
        raise ValueError(f"the model has only {len(found)} stories of {positions} positions, {count} are needed")


def _arrivals(stories: Stories, count: int) -> list[list[Job]]:
    rng, jobs = random.Random(SEED), []
    for seq in range(count):
        prompt = [rng.randrange(3, stories.shape.vocab_size) for _ in range(rng.randint(1, MOST_PROMPT))]
        steps, delay = len(prompt) + rng.randint(4, MOST_TOLD), rng.randrange(MOST_DELAY)
        jobs.append(Job(prompt, steps, score=False, seq=seq, delay=delay, gap=rng.choice([0, rng.randrange(MOST_GAP)])))
    return [jobs, *([Job(job.prompt, job.steps, score=False, seq=job.seq)] for job in jobs)]


def groups(scenario: Scenario, stories: Stories) -> list[list[Job]]:
    """The jobs of a scenario: groups one after the other, those of a group side by side."""
    n, trace = scenario.positions, scenario.trace is not None
    if scenario.kind == "arrivals":
        return _arrivals(stories, scenario.sequences)
    if scenario.kind == "prefill":
        (first,) = stories.lasting(1, n)
        prompt = [first, *(beat.token for beat in stories.beats(Job([first], n)))][:n]
        return [[Job(prompt, n, score=False, trace=trace)]]
    first_tokens = stories.lasting(scenario.sequences, n)
    return [[Job([token], n, seq=seq, trace=trace) for seq, token in enumerate(first_tokens)]]
