"""What the model is checked against: runs of a simulation, and the same run by the model."""

from dataclasses import dataclass, field

from llama2_myhdl.host.bench_machine import DRAINING, PIPE_FULL
from llama2_myhdl.host.performance.machine import Machine
from llama2_myhdl.host.performance.rows import cache_of
from llama2_myhdl.host.performance.supply import bus_of
from llama2_myhdl.sim.dram import Dram
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import build_of, preset

TOLERANCE = 0.03  # of the measured cycles


@dataclass(frozen=True)
class Point:
    """A preset, with other parameters where they are given, and what it runs: a story of so many positions, or a prompt
    of which no token is scored. dram: of a build with weights, and perhaps keys and values, in memory; quick: seconds
    to simulate."""

    config: str
    positions: int
    changes: tuple[tuple[str, int | ReadMaster], ...] = ()
    prompt: bool = False
    dram: Dram | None = field(default=None)
    quick: bool = False

    @property
    def shape(self) -> ModelShape:
        return preset(self.config).shape

    @property
    def build(self) -> BuildConfig:
        return build_of(self.config, **dict(self.changes))

    @property
    def key(self) -> str:
        changes = [f"{name}={getattr(value, 'data_bits', value)}" for name, value in self.changes]
        memory = [f"latency={self.dram.latency}", f"refresh={self.dram.refresh:g}"] if self.dram else []
        return "/".join([self.config, *changes, *memory, f"{'prompt' if self.prompt else 'story'}={self.positions}"])

    @property
    def title(self) -> tuple[str, str, str]:
        """Configuration, memory, run."""
        build, memory = self.build, "on the chip"
        if self.dram:
            bits = build.weights.data_bits
            memory = f"{bits} bits, latency {self.dram.latency}, refresh {self.dram.refresh:g}%"
        engines = f", E = {build.engines}" if build.engines > 1 else ""
        if build.cache:
            units = f"{build.attention_units} units of attention, " if build.attention_units > 1 else ""
            engines += f", {units}keys and values in {build.cache.data_bits} bits"
        run = f"prompt of {self.positions}" if self.prompt else f"positions 1 to {self.positions - 1}"
        return f"{self.config}, {build.lanes} lanes{engines}", memory, run

    def figures(self, cycles: list[int], sent: float) -> dict:
        """What is compared, of the cycles from each token to the next, from the first one's on, and of the words that
        came over all buses: mean: cycles a token; last: of the last one, of a story; bytes: a token's, from a memory.

        A story's first token begins when the host says so; a prompt's rate counts while all engines work. What one
        token takes behind a memory hangs on whether it meets a refresh, so that there the mean alone counts.
        """
        counted = cycles[PIPE_FULL + 1 : len(cycles) - DRAINING] if self.prompt else cycles[1:]
        found = dict(mean=sum(counted) / len(counted))
        if not self.prompt and not self.dram:
            found["last"] = cycles[-1]
        if self.dram:
            found["bytes"] = sent * self.build.weights.word_bytes / len(cycles)
        return found

    def machine(self) -> Machine:
        """The model's."""
        build, bus, cache = self.build, None, None
        if self.dram:
            bus = bus_of(build.weights, self.dram, build.beat_bits)
        if build.cache:
            cache = cache_of(build, bus_of(build.cache, self.dram, build.cache.data_bits))
        return Machine(self.shape, build, bus, cache)

    def model(self) -> dict:
        """Those figures by the model."""
        machine = self.machine()
        if self.prompt:
            return self.figures([0, *machine.prompt(range(self.positions))], 0)
        told = machine.story(range(self.positions))
        return self.figures(told.cycles, told.words)


TWO = (("max_layers", 3), ("engines", 2), ("sequences", 4))  # a build that other tests have too


def plan() -> list[Point]:
    """All points."""
    usual = Dram()
    return [
        Point("nano", 16, quick=True),
        Point("nano", 16, TWO, quick=True),
        Point("nano", 14, TWO, prompt=True, quick=True),
        Point("small", 16),
        Point("default", 64),
        Point("ecp5-85f", 128),
        Point("stories260K", 32, (("lanes", 16),)),
        Point("stories260K", 48, (("engines", 5),)),
        Point("stories260K", 64, (("engines", 5),), prompt=True),
        Point("nano-bus", 16, dram=usual, quick=True),
        Point("nano-bus", 16, dram=Dram(120, 20), quick=True),
        Point("nano-kv", 16, dram=usual, quick=True),
        Point("nano-kv", 16, dram=Dram(120, 20), quick=True),
        Point("nano-kv", 16, (("attention_units", 2),), dram=usual),
        Point("default-bus", 32, dram=usual),
        Point("default-bus", 32, dram=Dram(200, 5)),
        Point("default-bus", 64, (("cache", ReadMaster(data_bits=128)),), dram=usual),
        Point("stories15M-bus", 3, dram=usual),
    ]


def apart(measured: dict, modelled: dict) -> dict[str, float]:
    """Of each figure, how far the model is from what was measured, as a share of that."""
    return {name: modelled[name] / value - 1 for name, value in measured.items() if name in modelled}
