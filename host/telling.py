"""Stories told: the simulated decoder tells those of a request, and beside it the integer model."""

import resource
from dataclasses import dataclass
from itertools import count

from llama2_myhdl.golden.checker import Answers, Checker
from llama2_myhdl.host.display import Story
from llama2_myhdl.host.trace import header, line
from llama2_myhdl.readers.codec import StreamDecoder
from llama2_myhdl.sim.jobs import Outcome, beat_of, run_group
from llama2_myhdl.sim.session import Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.errors import MEANING
from llama2_myhdl.spec.sequence import following


@dataclass(frozen=True)
class Told:
    """A request that has been told. inputs: the tokens that each story was fed; answers: the integer model's; seconds:
    of CPU, for the simulation."""

    outcomes: list[Outcome]
    inputs: list[list[int]]
    answers: Answers
    seconds: float


def simulate(request, story: Story, table: bool = False) -> Told:
    """Run the simulation of a `generate.Request`, and have the integer model tell the same.

    table: print the cycle table.
    """
    with story.preparing() as say:
        weights, image, session = request.open(say)
    with session, Checker(weights, request.build, [job.request for job in request.jobs]) as checker:
        began = _cpu_seconds()
        error = session.boot(*image)
        if error:
            raise SimulationError(f"the hardware refused the model: {MEANING[error]}")
        with story.telling(request.positions):
            outcomes, inputs = _told(request, session, story, table)
        session.close()
        seconds = _cpu_seconds() - began
        return Told(outcomes, inputs, checker.finish(), seconds)


def _cpu_seconds() -> float:
    """CPU time of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _told(request, session: Session, story: Story, table: bool) -> tuple[list[Outcome], list[list[int]]]:
    """The stories, as far as they go: what the hardware said, and the tokens that it was fed.

    One alone is shown as it comes, of several each one when it ends.
    """
    prompt, decoder, several = request.prompt, StreamDecoder(request.tokenizer), len(session.stations) > 1
    inputs, alone, beats = [[prompt[0]] for _ in request.jobs], len(request.jobs) == 1, count()

    def tell_on(beat: dict, rows: list[dict], cycles: int) -> None:
        fed = inputs[beat["seq"]]
        for row in rows if table else ():
            # `fed` grows with the answers, and the first engines are ahead of these while they take the prompt
            known = prompt if row["pos"] < len(prompt) else fed
            story.print(line(row, request.tokenizer.decode_all(known[row["pos"] : row["pos"] + 1]), several))
        token = following(prompt, beat_of(beat))
        if token is not None:
            fed.append(token)
            if alone:
                story.say(decoder.feed(token))
        if beat["last"] and not alone:
            story.passage(f"story {beat['seq']}", request.tokenizer.decode_all(fed))
        story.advance(next(beats), cycles)

    if table:
        story.print(header(several))
    if alone:
        story.say(decoder.feed(prompt[0]))
    outcomes = run_group(session, request.jobs, tell_on)
    story.say(decoder.finish())
    return outcomes, inputs
