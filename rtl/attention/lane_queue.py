"""A few lanes of a finished numerator: kept until their turn, then given out one after the other."""
from myhdl import always, always_comb

from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import unpack
from rtl.stream.stream import sint, uint


@hblock
def lane_queue(clk, take, load, shift, num, front, take_next, load_next, LANES):
    """Two places for LANES lanes: `take` keeps num, `load` moves it to where it leaves, `shift` drops the front lane.

    Ports: clk; take, load, shift; num: packed signed lanes; front: the lane in front; take_next, load_next: the strobes
    for the lanes behind these, a cycle later. `take` and `load` may come together.
    """
    BITS = len(num) // LANES
    TOP = LANES - 1
    kept = uint(len(num))
    waiting, leaving = [[sint(BITS) for _ in range(LANES)] for _ in range(2)]
    split = unpack(kept, waiting)
    first = leaving[0]

    @always(clk.posedge)
    def keep():
        take_next.next = take
        if take:
            kept.next = num

    @always(clk.posedge)
    def leave():
        load_next.next = load
        if load:
            for i in range(LANES):
                leaving[i].next = waiting[i]
        elif shift:
            for i in range(TOP):
                leaving[i].next = leaving[i + 1]

    @always_comb
    def out():
        front.next = first

    return split, keep, leave, out
