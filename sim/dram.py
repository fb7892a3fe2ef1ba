"""A DRAM as a simulation has it behind a bus: how long a read takes, and how much of its time it refreshes."""

from dataclasses import dataclass

from llama2_myhdl.spec.config import ConfigError

REFRESH_PERIOD = 1000  # cycles from one refresh to the next: DDR3 and DDR4 have 7.8 us
MOST_LATENCY, MOST_REFRESH = 10_000, 50


@dataclass(frozen=True)
class Dram:
    """latency: cycles from a burst's address to its first beat; refresh: percent of the cycles in which no beat goes
    out. ConfigError when one is out of its limits."""

    latency: int = 60
    refresh: float = 5.0

    def __post_init__(self):
        if not 1 <= self.latency <= MOST_LATENCY:
            raise ConfigError(f"latency: must be 1 to {MOST_LATENCY:,} cycles, is {self.latency}")
        if not 0 <= self.refresh <= MOST_REFRESH:
            raise ConfigError(f"refresh: must be 0 to {MOST_REFRESH} percent of the cycles, is {self.refresh:g}")

    @property
    def behaviour(self) -> dict:
        """For `sim.simulator.Memory.behave`."""
        pause = round(REFRESH_PERIOD * self.refresh / 100)
        return dict(latency=(self.latency, self.latency), refresh=(REFRESH_PERIOD, pause) if pause else None)
