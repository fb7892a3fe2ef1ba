"""One machine of `make bench`: loads its model, simulates its scenarios, checks every token, and adds the cycles up."""

from collections.abc import Callable

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.host.bench_scenarios import EARLY, Machine, Scenario, Stories, groups
from llama2_myhdl.host.utilisation import mac_utilisation
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.sim.jobs import Job, Outcome, run_group
from llama2_myhdl.sim.session import SIMULATORS, Session
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.program import layer_split
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.weights.cache import FOLDER, quantised, tape_file
from llama2_myhdl.weights.memory import write_packed
from llama2_myhdl.weights.models import DEFAULT, stories260k
from llama2_myhdl.weights.quantise import quantise_checkpoint

SIM = SIMULATORS[0]
RANDOM_SEED = 1
# the other models are random
FILES = {"default": lambda: DEFAULT / "model.bin", "stories260K": stories260k, "default-bus": stories260k}
PIPE_FULL = 8  # from the beat of this position on a prompt's rate is measured ..
DRAINING = 2  # .. to this one before its end, the last position that is not scored
IDLE = "idle"


def load(machine: Machine) -> tuple[QuantisedCheckpoint, str]:
    """Integer weights and the tape file of the machine's model."""
    if machine.model in FILES:
        path = FILES[machine.model]()
        weights = quantised(path)
        return weights, str(tape_file(path, weights, machine.build))
    weights = quantise_checkpoint(random_checkpoint(preset(machine.model).shape, RANDOM_SEED), gptq=False)
    path = FOLDER / f"random-{machine.key.replace('/', '-')}.tape"
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_packed(path, weights, machine.build)
    return weights, str(path)


def station_beats(shape: ModelShape, build: BuildConfig, tokens: int, scored: int) -> list[int]:
    """Weight beats that every station takes for so many tokens, of which some are scored."""
    (low, extra), layer = layer_split(shape.n_layers, build.engines), shape.beats(build.lanes, False) // shape.n_layers
    beats = [(low + (k < extra)) * layer * tokens for k in range(build.engines)]
    classifier = (shape.beats(build.lanes) - shape.beats(build.lanes, False)) * scored
    return [*beats, classifier] if stations(build) > build.engines else [beats[0] + classifier]


def check(stories: Stories, job: Job, outcome: Outcome) -> None:
    """SimulationError unless the hardware said exactly what the integer model says."""
    if outcome.boot:
        raise SimulationError(f"the hardware refused the model with error {outcome.boot}")
    wanted, beats = stories.beats(job), outcome.beats
    for number, (expected, found) in enumerate(zip(wanted, beats)):
        if expected != found:
            raise SimulationError(f"sequence {job.seq}, beat {number}: must be {expected}, is {found}")
    if len(beats) != len(wanted):
        raise SimulationError(f"sequence {job.seq}: must have {len(wanted)} beats, has {len(beats)}")


def stalls(outcome: Outcome, cycles: int) -> list[dict[str, float]]:
    """For each station the share of the cycles by cause; what its host spends on reading the counters is left out."""
    shares = []
    for station in range(len(outcome.start["counters"])):
        counted = {cause: outcome.counted(cause, station) for cause in CAUSES}
        idle = cycles - sum(count for cause, count in counted.items() if cause != IDLE)
        if not 0 <= idle <= counted[IDLE]:
            raise SimulationError(f"station {station}: the causes do not add up to {cycles} cycles: {counted}")
        shares.append({cause: (idle if cause == IDLE else count) / cycles for cause, count in counted.items()})
    return shares


def summarise(machine: Machine, scenario: Scenario, shape: ModelShape, outcomes: list[Outcome]) -> dict:
    """The figures of one scenario (see docs/bench.json); outcomes: those of its first group."""
    build, beats = machine.build, [beat for outcome in outcomes for beat in outcome.tokens]
    marks = [beat["cycles"] for beat in outcomes[0].tokens]
    start, end = outcomes[0].start["cycles"], max(beat["cycles"] for beat in beats)
    tokens, scored, cycles = len(beats), sum(beat["scored"] for beat in beats), end - start
    expected = station_beats(shape, build, tokens, scored)
    found = [outcomes[0].counted("weights", station) for station in range(stations(build))]
    if found != expected:
        raise SimulationError(f"weight beats of the stations must be {expected}, are {found}")
    # stories told alone pass one station after the other
    busiest = sum(expected) if scenario.kind == "decode" and scenario.sequences == 1 else max(expected)
    figures = dict(
        machine=machine.title,
        scenario=scenario.title,
        lanes=build.lanes,
        engines=build.engines,
        layers=shape.n_layers,
        tokens=tokens,
        cycles=cycles,
        per_token=cycles / tokens,
        floor=busiest / tokens,
        utilisation=mac_utilisation(shape, build, tokens, scored, cycles),
        stalls=stalls(outcomes[0], cycles),
    )
    if scenario.kind == "prefill" and len(marks) > PIPE_FULL + DRAINING:
        spanned = len(marks) - DRAINING - PIPE_FULL
        figures["beat"] = (marks[-DRAINING] - marks[PIPE_FULL]) / spanned
    if scenario.kind == "decode" and scenario.sequences == 1:
        figures |= dict(early=(marks[min(EARLY, tokens) - 1] - start) / min(EARLY, tokens))
        figures |= dict(last=outcomes[0].cycles_per_position[-1])
    return figures


def _same_beats(together: Outcome, alone: Outcome) -> int:
    """Beats that are equal in all fields but the cycle."""
    kept = [
        [{k: v for k, v in beat.items() if k != "cycles"} for beat in outcome.tokens]
        for outcome in (together, alone)
    ]
    return sum(a == b for a, b in zip(*kept))


def kept_rows(scenario: Scenario, outcomes: list[Outcome]) -> list[dict]:
    """Rows of the cycle table at the positions that a picture shows."""
    first, last = scenario.trace
    return [row for row in outcomes[0].trace if row["stage"] != IDLE and first <= row["pos"] <= last]


def run_machine(machine: Machine, say: Callable[[str, int, int], None]) -> dict[str, dict]:
    """Run all scenarios: {"model/lanes/engines/scenario": figures}; `say` gets what is done, and how much of it.

    A scenario that is traced has its rows in the field `trace`. Whatever fails is a SimulationError.
    """
    say("load the model", 0, 1)
    weights, tape = load(machine)
    stories = Stories(FixedModel(weights, machine.build))
    plan = {scenario: groups(scenario, stories) for scenario in machine.scenarios}
    jobs = [group for scenario_groups in plan.values() for group in scenario_groups]
    jobs[0][0] = Job(**(vars(jobs[0][0]) | {"tape": tape}))
    flat = [job for group in jobs for job in group]
    total, done = sum(len(stories.beats(job)) for job in flat), 0

    def told(beat: dict, rows: list[dict], cycles: int) -> None:
        nonlocal done
        done += 1
        say("simulate", done, total)

    with Session(machine.build, SIM, say) as session:
        outcomes = [outcome for group in jobs for outcome in run_group(session, group, told)]
    for job, outcome in zip(flat, outcomes, strict=True):
        check(stories, job, outcome)
    result, first = {}, 0
    for scenario, scenario_groups in plan.items():
        count = len(scenario_groups[0])
        together = outcomes[first : first + count]
        figures = summarise(machine, scenario, stories.shape, together)
        if scenario.kind == "arrivals":
            alone = outcomes[first + count : first + 2 * count]
            figures |= dict(equal=sum(_same_beats(a, b) for a, b in zip(together, alone, strict=True)))
        if scenario.trace:
            figures |= dict(trace=kept_rows(scenario, together))
        result[f"{machine.key}/{scenario.key}"] = figures
        first += sum(len(group) for group in scenario_groups)
    return result


def attempt(machine: Machine, say: Callable[[str, int, int], None]) -> dict[str, dict] | str:
    """As `run_machine`; a failure as one line, its whole text in a file."""
    try:
        return run_machine(machine, say)
    except Exception as error:  # whatever it is, the other machines go on
        path = FOLDER.parent / f"bench-{machine.key.replace('/', '-')}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, [f"{type(error).__name__}: {error}\n".encode()])
        line = (str(error).splitlines() or [type(error).__name__])[0]
        return f"{machine.title}: {line} (all of it in {path})"
