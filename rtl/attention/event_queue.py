"""Events that may come together, counted one by one."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.adder_tree import adder_tree
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import clog2

_GROUP = 6  # strobes that one register counts
_COUNT_BITS = _GROUP.bit_length() + 1  # with a sign, as the adder tree wants it


@hblock
def event_queue(clk, rst, events, pulse, COUNT_BITS):
    """`pulse` is high for one cycle for each bit of `events` that was high in a cycle.

    Ports: clk, rst, high for as long as a sum takes; events: any number of strobes; pulse: a register. At most
    2**COUNT_BITS - 1 events may wait.
    """
    sizes = [min(_GROUP, len(events) - low) for low in range(0, len(events), _GROUP)]
    GROUPS = len(sizes)
    groups = [uint(size) for size in sizes]
    counts = [sint(_COUNT_BITS) for _ in sizes]
    terms, total = uint(GROUPS * _COUNT_BITS), sint(_COUNT_BITS + (clog2(GROUPS) if GROUPS > 1 else 0))
    SUM_BITS = len(total) - 1
    waiting = uint(COUNT_BITS)

    split = unpack(events, groups)
    count_ones_ = [count_ones(clk, rst, strobes, count) for strobes, count in zip(groups, counts)]
    joining = pack(counts, terms)

    @always_comb
    def one_group():
        total.next = terms.signed()

    adder_tree_ = adder_tree(clk, tied(bit(1)), terms, total, N=GROUPS) if GROUPS > 1 else one_group

    @always(clk.posedge)
    def pay_out():
        if rst:
            waiting.next = 0
            pulse.next = False
        elif waiting != 0:
            waiting.next = waiting + total[SUM_BITS:] - 1
            pulse.next = True
        else:
            waiting.next = total[SUM_BITS:]
            pulse.next = False

    return split, count_ones_, joining, adder_tree_, pay_out


def ports(EVENTS: int, COUNT_BITS: int) -> dict:
    """Fresh ports and parameters for so many strobes."""
    return dict(clk=bit(), rst=bit(), events=uint(EVENTS), pulse=bit(), COUNT_BITS=COUNT_BITS)


@hblock
def count_ones(clk, rst, strobes, count):
    """count = number of high bits of `strobes`, a cycle later. Ports: clk, rst; strobes; count signed."""
    SIZE = len(strobes)
    LIM = count.max

    @always(clk.posedge)
    def add():
        ones = intbv(0, min=-LIM, max=LIM)
        ones[:] = 0
        for i in range(SIZE):
            if strobes[i] and not rst:
                ones[:] = ones + 1
        count.next = ones

    return add
