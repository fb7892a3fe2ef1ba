"""Cuts the value rows of a token into heads."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig


@hblock
def head_ends(clk, rst, s, m, head_dim):
    """s, m: Stream(data=F, last): m is s with `last` on every head_dim-th element. Latency 0.

    head_dim: shape register; a matrix has whole heads.
    """
    element = uint(len(head_dim))
    at_end = bit()
    unused(s.last)
    through = connect(s, m, last=at_end)

    @always_comb
    def ends():
        at_end.next = element == head_dim - 1

    @always(clk.posedge)
    def count():
        if rst:
            element.next = 0
        elif s.valid and m.ready:
            if at_end:
                element.next = 0
            else:
                element.next = element + 1

    return through, ends, count


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `head_ends(**ports(cfg))`."""
    return dict(clk=bit(), rst=bit(), s=vector(cfg), m=vector(cfg), head_dim=ShapeRegisters(cfg).head_dim)
