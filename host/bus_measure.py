"""What the bus costs a story of a build with weights in memory, every token equal to the integer model's."""

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.host.bench_machine import check, load, stalls
from llama2_myhdl.host.bench_scenarios import Machine, Scenario, Stories, groups
from llama2_myhdl.host.bus_use import bus_use
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.sim.jobs import Job, run_group
from llama2_myhdl.sim.session import Session
from llama2_myhdl.spec.presets import build_of

POSITIONS = {"stories15M-bus": 64, "default-bus": 32}  # of the published stories, by configuration


def measure(config: str, positions: int, dram: Dram | None = None, say: Progress = silent) -> dict:
    """A story told freely from its first token on: what `bus_use` says, cycles a token, with and without those of
    refresh, their share by cause of each station, and what build and memory it is (`Dram()` where none is given).
    SimulationError if a beat is not the integer model's.
    """
    dram = dram or Dram()
    machine = Machine(config, build_of(config).lanes, 1, 1, (Scenario("decode", positions),))
    say("load the model", 0, 1)
    weights, tape = load(machine)
    stories = Stories(FixedModel(weights, machine.build))
    ((job,),) = groups(machine.scenarios[0], stories)
    job = Job(**(vars(job) | {"tape": tape}))
    with Session(machine.build, say=say, dram=dram) as session:
        (outcome,) = run_group(session, [job], lambda beat, *_: say("simulate", beat["pos"] + 1, positions))
    check(stories, job, outcome)
    cycles = sum(outcome.cycles_per_position)
    use = bus_use(machine.build, stories.shape, outcome, positions, positions, cycles)
    return use | dict(
        config=config,
        lanes=machine.build.lanes,
        bus_bits=machine.build.weights.data_bits,
        latency=dram.latency,
        positions=positions,
        per_token=cycles / positions,
        without_refresh=cycles / positions * (1 - use["refreshed"]),
        stalls=stalls(outcome, cycles),
    )
