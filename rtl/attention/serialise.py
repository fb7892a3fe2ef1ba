"""From a numerator of all lanes to a stream of its elements."""
from myhdl import always, always_comb

from rtl.attention.lane_queue import lane_queue
from rtl.attention.weighted_sum import lanes_a_group
from rtl.config import clog2
from rtl.hdl.hierarchy import hblock, unused
from rtl.hdl.lanes import unpack
from rtl.stream.stream import bit, sint, uint

LATENCY = 3  # cycles from `start` to the first element


@hblock
def serialise(clk, rst, take, start, num, scale, head_dim, element, valid, last, LANES):
    """Hold the numerator of a head until its reciprocal is near, then give out its elements one a cycle.

    Ports: clk, rst; take: scale and lane 0 of num are a head's final ones (the other lanes: see `lanes_a_group`);
    start: begin with the oldest taken; num: packed signed lanes, `scale` bits up (lazy.py); element: num[i] >> scale,
    signed; valid, last: beside it, head_dim elements from LATENCY cycles after `start`.
    The next `take` may come with this `start` at the earliest, the next `start` head_dim cycles after this one.
    The strobes pass from group to group, as the lanes' timing does, so none drives all lanes.
    """
    SIZE = lanes_a_group(LANES)
    counts = [min(SIZE, LANES - low) for low in range(0, LANES, SIZE)]
    GROUPS, END = len(counts), SIZE - 1
    BITS = len(num) // LANES

    nums = [uint(count * BITS) for count in counts]
    fronts = [sint(BITS) for _ in counts]
    only, front = fronts[0], sint(BITS)
    takes, loads = [[bit() for _ in range(GROUPS + 1)] for _ in range(2)]
    take0, load0 = takes[0], loads[0]
    shifts = [bit() for _ in counts]
    turn, active = uint(clog2(GROUPS)), uint(GROUPS)  # the group that gives; the same one-hot, 0 when idle
    place = uint(clog2(SIZE))
    left = uint(len(head_dim))
    kept_scale, scale0, scale1 = [uint(len(scale)) for _ in range(3)]
    valid0, last0 = bit(), bit()
    unused(takes[-1], loads[-1])

    @always_comb
    def enter():
        take0.next = take
        load0.next = start

    split = unpack(num, nums)
    strobes = unpack(active, shifts)
    queues = [lane_queue(clk, takes[g], loads[g], shifts[g], nums[g], fronts[g], takes[g + 1], loads[g + 1],
                         LANES=counts[g]) for g in range(GROUPS)]

    @always(clk.posedge)
    def control():
        if rst:
            active.next = 0
            valid0.next = False
            valid.next = False
        else:
            valid0.next = active != 0
            valid.next = valid0
            if start:
                active.next = 1
                turn.next = 0
                place.next = 0
                left.next = head_dim
            elif active != 0:
                left.next = left - 1
                if left == 1:
                    active.next = 0
                elif place == END:
                    active.next = active << 1
                    turn.next = turn + 1
                    place.next = 0
                else:
                    place.next = place + 1

    if GROUPS == 1:
        unused(turn)

    @always(clk.posedge)
    def choose():
        front.next = fronts[turn]

    @always(clk.posedge)
    def choose_only():
        front.next = only

    @always(clk.posedge)
    def data():
        if take:
            kept_scale.next = scale
        if start:
            scale0.next = kept_scale
        scale1.next = scale0
        last0.next = left == 1
        last.next = last0
        element.next = front >> scale1

    return enter, split, strobes, queues, control, choose if GROUPS > 1 else choose_only, data
