"""From a numerator of all lanes to a stream of its pairs of elements."""
from myhdl import always, always_comb, block, intbv

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.attention.weighted_sum import lanes_a_group
from llama2_myhdl.rtl.stream.stream import bit, uint

LATENCY = 2  # cycles from `load` to the first pair


@hblock
def serialise(clk, rst, load, num, scale, head_dim, element0, element1, valid, last, LANES):
    """Give out the numerator of a head, a pair of elements a cycle.

    Ports: clk, rst; load: scale and lane 0 of num are a head's final ones (the other lanes: see `lanes_a_group`);
    num: packed signed lanes, `scale` bits up (lazy.py); head_dim, even; element0, element1: num[2 * i] >> scale and
    num[2 * i + 1] >> scale, signed; valid, last: beside them, head_dim / 2 pairs from LATENCY cycles after `load`.
    Two `load`s are head_dim / 2 cycles apart at least.

        slots <─ <─ <─ <─ ...      every pair moves one slot a cycle, into slot 0 and out
        group 0: 0 1 ... S-1       S pairs a group
        group 1:         S-1 ...   final a cycle later: the pairs ahead have moved by one slot, so it enters one nearer

    So a register holds each pair once, no wide multiplexer follows, and the strobes pass from group to group, as the
    lanes' timing does: none drives all lanes.
    """
    PAIRS = LANES // 2
    SIZE = lanes_a_group(LANES) // 2
    BITS, ELEMENT = len(num) // LANES, len(element0)
    LIM = 1 << BITS - 1
    if LANES % 2:
        raise ValueError(f"serialise: LANES must be even, is {LANES}")
    entries = {}  # slot: the pairs that enter there, that of the group behind last
    for k in range(PAIRS):
        entries.setdefault(k - k // SIZE, []).append(k)

    pairs = [uint(2 * BITS) for _ in range(PAIRS)]
    places = [uint(2 * BITS) for _ in entries]
    front, nothing = places[0], uint(2 * BITS)
    loads = [bit() for _ in range(-(-PAIRS // SIZE))]
    load0 = loads[0]
    left = uint(len(head_dim))
    early = bit()
    scale0 = uint(len(scale))

    @always_comb
    def enter():
        load0.next = load
        nothing.next = 0

    split = unpack(num, pairs)
    travel = [strobe(clk, before, after) for before, after in zip(loads, loads[1:])]
    slots = []
    for place, behind, found in zip(places, [*places[1:], nothing], entries.values()):
        sources = [(loads[k // SIZE], pairs[k]) for k in found]
        enters = slot if len(sources) == 1 else shared_slot
        slots.append(enters(clk, *sum(sources, ()), behind, place))

    @always(clk.posedge)
    def control():
        if rst:
            left.next = 0
            valid.next = False
        else:
            valid.next = left != 0
            if load:
                left.next = head_dim >> 1
            elif left != 0:
                left.next = left - 1

    @always(clk.posedge)
    def data():
        whole = intbv(0, min=-LIM, max=LIM)
        if load:
            scale0.next = scale
        whole[:] = front[BITS:].signed()
        whole[:] = whole >> scale0
        element0.next = whole[ELEMENT:].signed()  # a slice: what comes between heads may not fit
        whole[:] = front[2 * BITS:BITS].signed()
        whole[:] = whole >> scale0
        element1.next = whole[ELEMENT:].signed()
        last.next = left == 1

    @always_comb
    def watch():
        early.next = load and left > 1

    check_ = check(clk, rst, early, MESSAGE="serialise: a head was loaded before the last pair of the one before")
    return enter, split, travel, slots, control, data, watch, check_


@block
def strobe(clk, load, load_next):
    """`load` for the group behind: a cycle later."""

    @always(clk.posedge)
    def follow():
        load_next.next = load

    return follow


@block
def slot(clk, load, pair, behind, place):
    """A pair on its way out: from the numerator or from the slot behind."""

    @always(clk.posedge)
    def move():
        if load:
            place.next = pair
        else:
            place.next = behind

    return move


@block
def shared_slot(clk, load, pair, load_next, pair_next, behind, place):
    """A slot where the last pair of a group enters and, a cycle later, the first one of the group behind."""

    @always(clk.posedge)
    def move():
        if load:
            place.next = pair
        elif load_next:
            place.next = pair_next
        else:
            place.next = behind

    return move
