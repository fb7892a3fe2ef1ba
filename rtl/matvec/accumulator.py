"""Sum of a row's beats."""

from myhdl import always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, sint


@hblock
def accumulator(clk, enable, first, x, y):
    """y = x if `first`, else x and all since the row's first, within the cycle; a beat counts with `enable`.

    Ports: clk; enable, first bool; x signed; y signed, wide enough for the sum of a row, of no account without
    `enable`. Latency 0: a register is to follow. One beat a cycle.
    """
    LIM = 1 << (len(y) - 1)
    kept = sint(len(y))
    base = sint(len(y))

    @always_comb
    def start():
        if first:
            base.next = 0
        else:
            base.next = kept

    @always_comb
    def add():
        total = modbv(0, min=-LIM, max=LIM)  # wraps only where it is of no account
        total[:] = base + x
        y.next = total

    @always(clk.posedge)
    def keep():
        if enable:
            kept.next = y

    return start, add, keep


def ports(XBITS: int, YBITS: int) -> dict:
    """Fresh ports of these widths."""
    return dict(clk=bit(), enable=bit(), first=bit(), x=sint(XBITS), y=sint(YBITS))
