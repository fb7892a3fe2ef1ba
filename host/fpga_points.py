"""The points of docs/fpga.md: which decoders are measured on which devices."""

from dataclasses import dataclass, replace

from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.syn import subjects

BASE = "ecp5-85f"
LANES, CONTEXTS, ENGINES = (8, 16, 32, 64), (32, 64, 128, 256), (1, 2, 3, 5)
_BASE_LANES, _BASE_CONTEXT, _BASE_ENGINES = LANES[-1], CONTEXTS[-1], ENGINES[0]  # what BASE has


@dataclass(frozen=True)
class Point:
    """A preset on a target, with other lanes, engines or context where they are given."""

    config: str
    target: str = "ecp5"
    lanes: int | None = None
    engines: int | None = None
    context: int | None = None

    @property
    def changes(self) -> dict[str, int]:
        given = dict(lanes=self.lanes, engines=self.engines, context=self.context)
        return {name: value for name, value in given.items() if value is not None}

    @property
    def subject(self) -> subjects.Subject:
        return subjects.of_config(self.config, **self.changes)

    @property
    def build(self) -> BuildConfig:
        return subjects.build_with(self.config, **self.changes)

    @property
    def shape(self) -> ModelShape:
        """The preset's model, with the context that the build has room for."""
        shape = preset(self.config).shape
        return replace(shape, seq_len=min(shape.seq_len, self.build.max_seq))

    @property
    def key(self) -> str:
        return f"{self.subject.name}/{self.target}"

    @property
    def arguments(self) -> str:
        """What make is told."""
        return " ".join([f"CONFIG={self.config}", *(f"{name.upper()}={value}" for name, value in self.changes.items())])


def plan() -> list[Point]:
    """All points: the presets for a device, then BASE with one thing changed at a time."""
    points = [Point(config) for config in ("small", "ulx3s", BASE)]
    points += [Point(BASE, lanes=lanes) for lanes in LANES if lanes != _BASE_LANES]
    points += [Point(BASE, context=context) for context in CONTEXTS if context != _BASE_CONTEXT]
    points += [Point(BASE, engines=engines) for engines in ENGINES if engines != _BASE_ENGINES]
    return [*points, Point("stories260K", "xilinx"), Point("stories15M", "xilinx")]
