"""Data that travel beside a pipeline."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def delay(clk, d, q, CYCLES):
    """q = d, CYCLES (1 or more) cycles ago. Ports: clk; d, q unsigned of one width. Not reset: data only."""
    if CYCLES < 1:
        raise ValueError(f"delay: CYCLES must be at least 1, is {CYCLES}")
    if len(d) != len(q):
        raise ValueError(f"delay: q must be as wide as d, {len(d)} bits, is {len(q)}")
    stages = [uint(len(d)) for _ in range(CYCLES)]

    @always(clk.posedge)
    def travel():
        stages[0].next = d
        for k in range(1, CYCLES):
            stages[k].next = stages[k - 1]

    @always_comb
    def out():
        q.next = stages[CYCLES - 1]

    return travel, out


def ports(WIDTH: int, CYCLES: int) -> dict:
    """Fresh ports and parameters for data of WIDTH bits."""
    return dict(clk=bit(), d=uint(WIDTH), q=uint(WIDTH), CYCLES=CYCLES)
