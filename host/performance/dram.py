"""Memories of boards: what they could bring, and how it reaches a build."""

from dataclasses import dataclass

from llama2_myhdl.host.performance.supply import Bus
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import BuildConfig, ConfigError

LIMITS = {  # of a memory's fields: unit, least, most
    "width": ("bits", 8, 8192),
    "rate": ("million transfers a second", 100, 12_800),
    "latency": ("ns", 1, 10_000),
    "refresh": ("percent of the time", 0, 50),
}
CLOCK_LIMITS = ("MHz", 1, 1_000)
MASTER = ReadMaster()  # burst, depth and outstanding are its own, in words of all ports together


def within(name: str, value: float, limits: tuple[str, float, float]) -> None:
    """Raise ConfigError, naming the limits, unless the value is within them."""
    unit, least, most = limits
    if not least <= value <= most:
        raise ConfigError(f"{name}: must be {least:,} to {most:,} {unit}, is {value:,.10g}")


@dataclass(frozen=True)
class Dram:
    """width: data bits; rate: million transfers a second; latency: ns from an address at the bus to its first word;
    refresh: percent of the time in which nothing is read. ConfigError when one is out of its limits."""

    width: int
    rate: float
    latency: float
    refresh: float

    def __post_init__(self):
        for name, limits in LIMITS.items():
            within(name, getattr(self, name), limits)
        if self.width % 8:
            raise ConfigError(f"width: must be a multiple of 8 bits, is {self.width}")

    @property
    def peak(self) -> float:
        """Bytes a second at most."""
        return self.width / 8 * self.rate * 1e6

    def bus(self, build: BuildConfig, port_bits: int, clock: float) -> Bus:
        """As a build sees it through ports of so many bits together, all at its own clock in MHz."""
        within("clock", clock, CLOCK_LIMITS)
        word = port_bits // 8
        pace = max(1.0, word * clock * 1e6 / self.peak)
        sizes = (port_bits, MASTER.burst, MASTER.depth, MASTER.outstanding, build.beat_bits)
        return Bus(*sizes, self.latency * clock / 1e3, self.refresh, pace)
