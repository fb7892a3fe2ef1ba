"""A session with a difficult host: slots are filled as soon as they are free, tokens are not taken, boots are cut."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.sim.session import RESET_CYCLES, TOKEN_FIELDS, Session
from llama2_myhdl.sim.simulator import Simulator, Source
from llama2_myhdl.weights.tape import Tape

LOOK = 2000


@dataclass
class Told:
    """A job in the slot that it had, and its beats as the session has them."""

    job: Job
    beats: list[dict]

    @property
    def fields(self) -> list[dict]:
        """Its beats as the integer model has them."""
        return [{name: beat[name] for name in TOKEN_FIELDS} for beat in self.beats]


class Restless:
    """A simulator whose token port stalls, and whose error code is cleared, at random moments of `run`.

    hold: share of the time in which m_token_ready is low; clears: probability of a clear at each moment; longest:
    cycles from one moment to the next at most. `cleared` has the number of every edge at which `clear` was high.
    """

    def __init__(self, sim: Simulator, rng: random.Random, hold: float = 0.0, clears: float = 0.0, longest: int = 200):
        self.sim, self.cleared = sim, []
        self._rng, self._hold, self._clears, self._longest = rng, hold, clears, longest

    def __getattr__(self, name: str):
        return getattr(self.sim, name)

    def run(self, cycles: int, drained: Source | None = None) -> None:
        """As a simulator's own; after LOOK cycles at most the caller may see what fell on the last cycle of a piece."""
        end = self.sim.cycle + (cycles if drained else min(cycles, LOOK))
        while self.sim.cycle < end:
            begin, clear = self.sim.cycle, self._rng.random() < self._clears
            count = 1 if clear else min(self._rng.randint(1, self._longest), end - begin)
            self.sim.set(m_token_ready=int(self._rng.random() >= self._hold), clear=int(clear))
            self.sim.run(count, drained)
            if clear:
                self.cleared += range(begin, self.sim.cycle)
                self.sim.set(clear=0)
            if self.sim.cycle - begin < count:  # something has happened
                return


class Crowd(Session):
    """A session for many sequences, of which as many as fit run side by side."""

    def cut_boot(self, tape: Tape, cycles: int) -> None:
        """Reset, and so many cycles of an image; who boots next resets in its midst."""
        self.sim.set(rst=1)
        self.sim.run(RESET_CYCLES)
        self._boot.drop(), self._prompt.drop()
        self.sim.set(rst=0)
        last = np.zeros((len(tape.beats), 1), np.uint8)
        last[-1] = 1
        self._boot.send(len(tape.beats), data=tape.beats, last=last)
        self._pass(cycles)

    def start(self, jobs: list[Job]) -> None:
        """Begin a job in each slot, without waiting for anything."""
        for slot, job in enumerate(jobs):
            self._begin(replace(job, seq=slot))

    def step(self, cycles: int) -> None:
        """Go on with what runs, to the next event or so many cycles; its beats stay where they are."""
        self._step(cycles)

    def _begin(self, job: Job):
        return self.generate(job.prompt, job.steps, job.seq, job.score, job.delay, job.gap, **job.wishes)

    def tell(self, jobs: list[Job], look: Callable[[], None] = lambda: None) -> list[Told]:
        """Run jobs, each in the first slot that is free by then; look: called whenever tokens have come."""
        waiting, running, done = deque(jobs), {}, []
        while waiting or running:
            for slot in range(self.build.sequences):
                if waiting and slot not in running:
                    job = replace(waiting.popleft(), seq=slot)
                    running[slot] = job, self._begin(job)
            if any(not sequence.ended for _, sequence in running.values()):
                self.advance()
                look()
            else:
                self.drain()
            for slot, (job, sequence) in list(running.items()):
                if sequence.ended and not sequence.waits:  # the slot is free when all of its prompt has been swallowed
                    done.append(Told(job, list(sequence)))
                    del running[slot]
        return done

    def counted(self, name: str, station: int | None = None) -> int:
        """A counter since the model was loaded, of all stations by default."""
        counters = self.counters()["counters"]
        return sum(counts[name] for counts in (counters if station is None else counters[station : station + 1]))
