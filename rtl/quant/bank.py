"""A bank of the quantiser: a small RAM whose read port can stand still."""
from myhdl import always

from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import uint


@hblock
def bank(clk, we, waddr, wdata, load, raddr, rdata, DEPTH):
    """DEPTH words of len(wdata) bits. we, waddr, wdata: write port; raddr: the word to read; rdata: it, a cycle later.

    load: rdata takes a new word, else it holds. A word that is written in the cycle in which it is read may come out
    wrong: read it again.
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
