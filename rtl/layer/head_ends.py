"""Cuts the value rows of a token into heads."""

from myhdl import Signal, always, modbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig


@hblock
def head_ends(clk, rst, s, m, head_dim):
    """s, m: Stream(data=F, last): m is s with `last` on every head_dim-th element. Latency 0.

    head_dim: shape register, 2 or more; a matrix has whole heads.
    """
    element, before_end = uint(len(head_dim)), Signal(modbv(0)[len(head_dim) :])
    at_end = bit()  # a register, as a head's end leads to every bank of the quantiser
    unused(s.last)
    through = connect(s, m, last=at_end)

    @always(clk.posedge)
    def count():
        before_end.next = head_dim - 2
        if rst:
            element.next = 0
            at_end.next = False
        elif s.valid and m.ready:
            at_end.next = element == before_end
            if at_end:
                element.next = 0
            else:
                element.next = element + 1

    return through, count


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `head_ends(**ports(cfg))`."""
    return dict(clk=bit(), rst=bit(), s=vector(cfg), m=vector(cfg), head_dim=ShapeRegisters(cfg).head_dim)
