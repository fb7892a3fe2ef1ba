"""Sum of a row's beats."""

from myhdl import always

from rtl.hdl.hierarchy import hblock

LATENCY = 1  # cycles from x to y


@hblock
def accumulator(clk, enable, first, x, y):
    """With `enable`: y = x if `first`, else y + x; without: y holds. One beat a cycle.

    Ports: clk; enable, first bool; x signed; y signed, wide enough for the sum of a row. Latency LATENCY cycles.
    """

    @always(clk.posedge)
    def accumulate():
        if enable:
            if first:
                y.next = x
            else:
                y.next = y + x

    return accumulate
