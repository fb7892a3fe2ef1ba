"""How much of what all multipliers could have done the model needed."""

from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.spec.config import BuildConfig, ModelShape


def mac_utilisation(shape: ModelShape, build: BuildConfig, tokens: int, scored: int, cycles: int) -> float:
    """Multiply-accumulates of so many tokens, of which some are scored, over those of all lanes of all stations."""
    macs = scored * shape.macs() + (tokens - scored) * shape.macs(classifier=False)
    return macs / (cycles * build.lanes * stations(build))
