"""How much of what all multipliers could have done the model needed."""

from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.spec.config import BuildConfig, ModelShape


def needed(shape: ModelShape, tokens: int, scored: int) -> int:
    """Multiply-accumulates of so many tokens, of which some are scored: as many as weights."""
    return scored * shape.macs() + (tokens - scored) * shape.macs(classifier=False)


def mac_utilisation(shape: ModelShape, build: BuildConfig, tokens: int, scored: int, cycles: int) -> float:
    """Multiply-accumulates of so many tokens, of which some are scored, over those of all lanes of all stations."""
    return needed(shape, tokens, scored) / (cycles * build.lanes * stations(build))
