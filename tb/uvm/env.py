"""The environment of one block: an agent a port, one predictor, a scoreboard an output, one coverage collector."""

import cocotb
from cocotb.triggers import ClockCycles
from pyuvm import uvm_active_passive_enum, uvm_env

from llama2_myhdl.rtl.stream.stream import Stream
from llama2_myhdl.sim.clock import RESET_CYCLES
from tb.uvm.agent import Port, StreamAgent
from tb.uvm.coverage import Coverage
from tb.uvm.item import Feed
from tb.uvm.predictor import Predictor
from tb.uvm.scoreboard import PulseCount, Scoreboard, WrongCount

# how the block is used: (probability of an idle cycle at its inputs, of back-pressure at its outputs)
TRAFFIC = {"free": (0.0, 0.0), "idle": (0.4, 0.0), "held": (0.0, 0.6), "both": (0.3, 0.5)}
STEP = 8  # cycles between two looks


def streams_of(ports: dict) -> dict[str, Stream]:
    """The streams among a block's ports, by prefix."""
    return {name: port for name, port in ports.items() if isinstance(port, Stream)}


class Stuck(AssertionError):
    """The block does not take what it is given."""


class BlockEnv(uvm_env):
    """A block's environment sets PREDICTOR, COVERAGE and QUIET, and says its ports in `streams`.

    QUIET: cycles without a transfer anywhere after which the block has nothing left to say.
    SCOREBOARD: that of each output and monitor. MONITORS: components by name, beside the agents, whose `ap` publishes
    what the predictor expects under that name. PULSES: names of one-bit outputs whose high cycles the predictor counts.
    ConfigDB: SCOPE, the instance whose ports these are; ACTIVE, false to look only; CFG, the BuildConfig.
    """

    PREDICTOR, COVERAGE, SCOREBOARD, QUIET, PULSES = Predictor, Coverage, Scoreboard, 1000, ()
    MONITORS = {}

    def streams(self) -> dict[str, Stream]:
        """The ports by prefix; those that begin with `s` are inputs."""
        raise NotImplementedError(f"{type(self).__name__}: streams")

    def build_phase(self):
        self.scope, active = self.cdb_get("SCOPE"), self.cdb_get("ACTIVE")
        self.level = "free"
        ports = {name: Port(self.scope, name, stream, name.startswith("s")) for name, stream in self.streams().items()}
        self.agents = {}
        for name, port in ports.items():
            for path in (name, f"{name}.*"):
                self.cdb_set("PORT", port, path)
            self.cdb_set("is_active", uvm_active_passive_enum(int(active)), name)
            self.agents[name] = StreamAgent.create(name, self)
        self.monitors = {name: monitor.create(name, self) for name, monitor in self.MONITORS.items()}
        self.cdb_set("PORTS", ports, "predictor")
        self.cdb_set("MONITORED", tuple(self.monitors), "predictor")
        self.predictor = self.PREDICTOR.create("predictor", self)
        outputs = [name for name, port in ports.items() if not port.driven]
        compared = (*outputs, *self.monitors)
        self.scoreboards = {name: self.SCOREBOARD.create(f"{name}_scoreboard", self) for name in compared}
        self.cdb_set("PREDICTOR", self.predictor)
        self.pulse_counts = []
        for pin in self.PULSES:
            self.cdb_set("PIN", pin, f"{pin}_count")
            self.pulse_counts.append(PulseCount.create(f"{pin}_count", self))
        self.coverage = self.COVERAGE.create("coverage", self)

    def connect_phase(self):
        for name, agent in self.agents.items():
            if agent.port.driven:
                agent.ap.connect(self.predictor.inputs[name])
        for name, scoreboard in self.scoreboards.items():
            seen = self.monitors[name] if name in self.monitors else self.agents[name]
            seen.ap.connect(scoreboard.actual_export)
            self.predictor.expected[name].connect(scoreboard.expected_export)
        self.predictor.transactions.connect(self.coverage.analysis_export)

    def traffic(self, level: str):
        """Use the block as TRAFFIC[level] says from now on."""
        self.level = level
        for agent in self.agents.values():
            agent.pause(TRAFFIC[level][not agent.port.driven])

    def set(self, **pins):
        """Drive inputs that are no streams."""
        for name, value in pins.items():
            getattr(self.scope, name).value = value

    async def feed(self, **bursts):
        """Send bursts (lists of payloads) to the inputs named, all inputs at the same time; Stuck if they do not go."""
        feeds = {
            name: cocotb.start_soon(Feed(f"{name}_feed", work).start(self.agents[name].sequencer))
            for name, work in bursts.items()
        }
        await self.until(lambda: all(feed.done() for feed in feeds.values()))
        waiting = [name for name, feed in feeds.items() if not feed.done()]
        if waiting:
            text = f"beats for {', '.join(waiting)} are not taken, nothing has moved for {self.QUIET} cycles"
            raise Stuck(f"{self.get_full_name()}: {text}")

    async def taken(self, *names):
        """Until all that was fed to these inputs has passed, or nothing has moved for QUIET cycles."""
        queues = [self.agents[name].driver.pins.queue for name in names]
        await self.until(lambda: not any(queues))

    def promise(self, **counts):
        """The test owes so many more comparisons at each output."""
        for name, count in counts.items():
            self.scoreboards[name].promise(count)

    async def reset(self, lost: int):
        """Reset under way, from now on; WrongCount unless so many predicted beats are lost."""
        self.set(rst=1)
        await ClockCycles(self.scope.clk, RESET_CYCLES)
        self.set(rst=0)
        found = sum(board.forget() for board in self.scoreboards.values())
        if found != lost:
            raise WrongCount(f"{self.get_full_name()}: a reset has lost {found} predicted beats, not {lost}")

    async def settled(self, *names):
        """Until all that is promised (at these scoreboards, by default at all) has been compared, or nothing has moved
        for QUIET cycles: check_phase tells."""
        boards = [self.scoreboards[name] for name in names or self.scoreboards]
        await self.until(lambda: all(board.owed <= 0 for board in boards))

    async def until(self, ready):
        """Until `ready()`, or nothing has moved for QUIET cycles."""
        still = 0
        while still < self.QUIET and not ready():
            before = self._moved()
            await ClockCycles(self.scope.clk, STEP)
            still = still + STEP if before == self._moved() else 0

    async def drained(self):
        """Until nothing has moved for QUIET cycles."""
        before = None
        while before != self._moved():
            before = self._moved()
            await ClockCycles(self.scope.clk, self.QUIET)

    def _moved(self):
        return sum(agent.received for agent in self.agents.values())
