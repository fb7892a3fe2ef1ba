"""Tells the lanes whose heads end when their sums are done."""
from myhdl import always, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def head_strobes(clk, rst, ends, lanes, load, CYCLES):
    """load = `lanes` as they are with `ends`, for one cycle, CYCLES (3 or more) cycles later; else 0.

    Ports: clk; rst: forgets what is under way; ends: the last step of a pass; lanes, load: a bit for each query of it.
    """
    DONE = CYCLES - 2
    under_way = uint(CYCLES - 1)  # bit k: `ends`, k + 1 cycles ago
    lanes_done = uint(len(lanes))

    delay_ = delay(clk, lanes, lanes_done, CYCLES=CYCLES - 1)

    @always(clk.posedge)
    def travel():
        if rst:
            under_way.next = 0
        else:
            under_way.next = concat(under_way[DONE:], ends)

    @always(clk.posedge)
    def strobe():
        load.next = 0
        if under_way[DONE] and not rst:
            load.next = lanes_done

    return delay_, travel, strobe


def ports(QUERIES: int, CYCLES: int) -> dict:
    """Fresh ports and parameters for passes of so many queries."""
    return dict(clk=bit(), rst=bit(), ends=bit(), lanes=uint(QUERIES), load=uint(QUERIES), CYCLES=CYCLES)
