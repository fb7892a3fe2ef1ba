"""Work for a decoder that is known beforehand: sequences one after the other or side by side, and what came of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.sim.memories import traffic
from llama2_myhdl.sim.session import SIMULATORS, Session
from llama2_myhdl.sim.taps import Record
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import F_FRAC
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.weights.memory import read_packed


@dataclass(frozen=True)
class Job:
    """One sequence. tape: a tape file to boot first, or None to go on with the loaded model.

    taps: positions whose streams are to be recorded. trace: keep the rows of the cycle table; of several jobs side by
    side, the first one says it. wishes: of `Request`, how tokens are chosen. The others as for `Session.generate`.
    """

    prompt: list[int]
    steps: int
    tape: str | Path | None = None
    taps: tuple[int, ...] = ()
    trace: bool = False
    score: bool = True
    seq: int = 0
    delay: int = 0
    gap: int = 0
    wishes: dict = field(default_factory=dict)

    @property
    def request(self) -> Request:
        """What it asks for, whenever and beside whatever."""
        return Request(tuple(self.prompt), self.steps, self.score, **self.wishes)


def beat_of(fields: dict) -> Beat:
    """A token beat of a session as the decode model has it."""
    flags = (bool(fields[name]) for name in ("scored", "sampled"))
    return Beat(fields["token"], fields["pos"], *flags, fields["stop"], fields["logprob"])


@dataclass
class Outcome:
    """What the hardware said of one job.

    boot: error code, or None where nothing was booted; start, finish: `Session.counters` before and behind, with
    `sim.memories.traffic` of weights and embedding as `bus`, of keys and values as `cache`; tokens: its beats; trace:
    rows of the cycle table while its group ran; taps: what the stations recorded, by position.
    """

    boot: int | None = None
    start: dict | None = None
    finish: dict | None = None
    tokens: list[dict] = field(default_factory=list)
    trace: list[dict] = field(default_factory=list)
    taps: dict[int, list[Record]] = field(default_factory=dict)

    @property
    def beats(self) -> list[Beat]:
        """Its beats, as the decode model has them."""
        return [beat_of(beat) for beat in self.tokens]

    @property
    def predictions(self) -> list[int]:
        """The most likely next token at every position; 0 where it was not scored."""
        return [t["token"] for t in self.tokens]

    @property
    def logprobs(self) -> list[float]:
        """Natural logarithms of probabilities, as its beats tell them; 0 where they tell none."""
        return [beat["logprob"] / 2**F_FRAC for beat in self.tokens]

    @property
    def cycles_per_position(self) -> list[int]:
        """Clock cycles from one beat of the token stream to the next; the first from the start of the sequence."""
        marks = [self.start["cycles"]] + [t["cycles"] for t in self.tokens]
        return [b - a for a, b in zip(marks, marks[1:])]

    def counted(self, name: str, station: int | None = None) -> int:
        """What a counter of `rtl/decode/counters.py` counted while the job's group ran; of all stations by default."""
        stations = range(len(self.start["counters"])) if station is None else [station]
        return sum(self.finish["counters"][k][name] - self.start["counters"][k][name] for k in stations)


# told a token beat as it comes, the rows of the cycle table that are whole by then, and the cycles since the start
Told = Callable[[dict, list[dict], int], None]


def _traffic(session: Session) -> dict:
    """What `Outcome.start` and `finish` have of the memories."""
    sim = session.sim
    return dict(bus=traffic(sim, session.memories), cache=traffic(sim, session.caches, writes=True))


def run_group(session: Session, jobs: list[Job], beat: Told) -> list[Outcome]:
    """Boot if the first job brings a tape, then run all jobs side by side. A refused image ends it there."""
    outcomes, first = [Outcome() for _ in jobs], jobs[0]
    if first.tape:
        error = session.boot(*read_packed(first.tape, session.build))
        for outcome in outcomes:
            outcome.boot = error
        if error:
            return outcomes
    else:
        session.clear()
    taps = any(job.taps for job in jobs)
    session.tap(taps)
    start = session.counters()
    # the counters are read one after the other; the sequences' time begins behind the last one
    start |= dict(cycles=session.sim.get("cycles")) | _traffic(session)
    session.trace(first.trace)
    sequences = [
        session.generate(job.prompt, job.steps, job.seq, job.score, job.delay, job.gap, **job.wishes) for job in jobs
    ]
    rows = []
    while not all(sequence.ended for sequence in sequences):
        for found in session.advance():
            fresh = session.rows() if first.trace else []
            rows += fresh
            beat(found, fresh, found["cycles"] - start["cycles"])
    sent = _traffic(session)
    session.drain()
    recorded = session.tapped() if taps else {}
    if first.trace:
        rows += session.rows(end=True)
    session.trace(False)
    finish = session.counters() | sent
    for outcome, sequence, job in zip(outcomes, sequences, jobs):
        outcome.start, outcome.finish, outcome.trace = start, finish, rows
        outcome.tokens = list(sequence)
        outcome.taps = {pos: recorded[job.seq, pos] for pos in job.taps if (job.seq, pos) in recorded}
    return outcomes


def run(
    build: BuildConfig,
    sim: str,
    jobs: list[Job | list[Job]],
    beat: Told = lambda found, rows, cycles: None,
    say: Progress = silent,
) -> list[Outcome]:
    """Run the jobs in one simulation, a list of jobs in place of one side by side; their outcomes, spread out.

    sim: one of `sim.session.SIMULATORS`.
    """
    groups = [group if isinstance(group, list) else [group] for group in jobs]
    with Session(build, sim, say) as session:
        return [outcome for group in groups for outcome in run_group(session, group, beat)]


__all__ = ["SIMULATORS", "Job", "Outcome", "beat_of", "run", "run_group"]
