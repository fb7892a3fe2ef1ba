"""From a numerator of all lanes to a stream of its elements."""
from myhdl import always

from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import unpack
from rtl.stream.stream import bit, sint, uint


@hblock
def serialise(clk, rst, take, start, num, scale, head_dim, element, valid, last, LANES):
    """Hold the numerator of a head until its reciprocal is near, then give out its elements one a cycle.

    Ports: clk, rst; take: num and scale are a head's final ones; start: begin with the oldest taken; num: packed signed
    lanes, `scale` bits up (lazy.py); element: num[i] >> scale, signed; valid, last: beside it, head_dim elements.
    The first element comes two cycles after `start`. The next `take` may come with this `start` at the earliest, the
    next `start` head_dim cycles after this one.
    """
    BITS = len(num) // LANES
    TOP = LANES - 1
    arriving, held, leaving = [[sint(BITS) for _ in range(LANES)] for _ in range(3)]
    held_scale, leaving_scale = uint(len(scale)), uint(len(scale))
    left = uint(len(head_dim))
    running = bit()

    split = unpack(num, arriving)
    front = leaving[0]

    @always(clk.posedge)
    def data():
        if take:
            held_scale.next = scale
            for i in range(LANES):
                held[i].next = arriving[i]
        if start:
            leaving_scale.next = held_scale
            for i in range(LANES):
                leaving[i].next = held[i]
        else:
            for i in range(TOP):
                leaving[i].next = leaving[i + 1]

    @always(clk.posedge)
    def control():
        if rst:
            running.next = False
            valid.next = False
        else:
            valid.next = running
            last.next = left == 1
            if start:
                running.next = True
                left.next = head_dim
            elif running:
                running.next = left != 1
                left.next = left - 1

    @always(clk.posedge)
    def out():
        element.next = front >> leaving_scale

    return split, data, control, out
