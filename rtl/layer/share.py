"""How many layers an engine has: all get `low`, the first `extra` ones have one more."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig


@hblock
def share(clk, low, extra, n_layers, INDEX):
    """n_layers: out, a register, those of engine INDEX; low, extra: shape registers."""

    @always(clk.posedge)
    def divide():
        if extra > INDEX:
            n_layers.next = low + 1
        else:
            n_layers.next = low

    return divide


def ports(cfg: BuildConfig, INDEX: int) -> dict:
    """Fresh ports and parameters for engine INDEX of a build: `share(**ports(cfg, INDEX))`."""
    shape = ShapeRegisters(cfg)
    n_layers = uint(cfg.engine.max_layers.bit_length())
    return dict(clk=bit(), low=shape.layers_low, extra=shape.layers_extra, n_layers=n_layers, INDEX=INDEX)
