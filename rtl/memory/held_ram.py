"""A RAM with one write port and one registered read port that can stand still."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2

LATENCY = 1  # cycles of `load` from `raddr` to `rdata`


@hblock
def held_ram(clk, we, waddr, wdata, load, raddr, rdata, DEPTH):
    """DEPTH words of len(wdata) bits, unsigned.

    we, waddr, wdata: write port; raddr: address to read. load: rdata becomes the word at raddr, else it holds.
    A word that is read in the cycle in which it is written may come out wrong.
    """
    words = [uint(len(wdata)) for _ in range(DEPTH)]

    @always(clk.posedge)
    def write():
        if we:
            words[waddr].next = wdata

    @always(clk.posedge)
    def read():
        if load:
            rdata.next = words[raddr]

    return write, read


def ports(depth, width):
    """Fresh ports and parameters, by name."""
    address = clog2(depth)
    words = dict(waddr=uint(address), wdata=uint(width), load=bit(), raddr=uint(address), rdata=uint(width))
    return dict(clk=bit(), we=bit(), **words, DEPTH=depth)
