"""From a numerator of all lanes to a stream of its elements."""
from myhdl import always, always_comb, block

from rtl.attention.weighted_sum import lanes_a_group
from rtl.hdl.hierarchy import hblock, unused
from rtl.hdl.lanes import pack, unpack
from rtl.stream.stream import bit, sint, uint


@hblock
def serialise(clk, rst, take, start, num, scale, head_dim, element, valid, last, LANES):
    """Hold the numerator of a head until its reciprocal is near, then give out its elements one a cycle.

    Ports: clk, rst; take: scale and lane 0 of num are a head's final ones (the other lanes: see `lanes_a_group`);
    start: begin with the oldest taken; num: packed signed lanes, `scale` bits up (lazy.py); element: num[i] >> scale,
    signed; valid, last: beside it, head_dim elements.
    The first element comes two cycles after `start`. The next `take` may come with this `start` at the earliest, the
    next `start` head_dim cycles after this one.
    """
    BITS = len(num) // LANES
    TOP = LANES - 1
    SIZE = lanes_a_group(LANES)
    counts = [min(SIZE, LANES - low) for low in range(0, LANES, SIZE)]
    held, leaving = [[sint(BITS) for _ in range(LANES)] for _ in range(2)]
    arriving, kept = [[uint(count * BITS) for count in counts] for _ in range(2)]
    all_kept = uint(len(num))
    takes = [bit() for _ in range(len(counts) + 1)]
    take0 = takes[0]
    unused(takes[-1])
    held_scale, leaving_scale = uint(len(scale)), uint(len(scale))
    left = uint(len(head_dim))
    running = bit()

    split = unpack(num, arriving)
    holds = [hold(clk, takes[g], x, y, takes[g + 1]) for g, (x, y) in enumerate(zip(arriving, kept))]
    joining = pack(kept, all_kept)
    lanes = unpack(all_kept, held)
    front = leaving[0]

    @always_comb
    def enter():
        take0.next = take

    @always(clk.posedge)
    def data():
        if take:
            held_scale.next = scale
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

    return split, holds, joining, lanes, enter, data, control, out


@block
def hold(clk, take, arriving, kept, take_next):
    """Keep a group of lanes; take_next is for the group that comes a cycle later."""

    @always(clk.posedge)
    def keep():
        take_next.next = take
        if take:
            kept.next = arriving

    return keep
