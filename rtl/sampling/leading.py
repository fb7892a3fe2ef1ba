"""The leading one of a sum of weights."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.sampling import SUM_BITS, SUM_BITS_MIN

LATENCY = 2  # cycles from a total to `whole` and `zeros`
PLACES = SUM_BITS - SUM_BITS_MIN + 1  # of a total's leading one
ZERO_BITS = clog2(PLACES)


@hblock
def leading(clk, total, whole, zeros):
    """whole = total, LATENCY cycles ago; zeros: the zeros ahead of its leading one.

    Ports: clk; total, whole uint(SUM_BITS), 2**(SUM_BITS_MIN - 1) or more, else zeros is of no account; zeros
    uint(ZERO_BITS). One total a cycle.
    """
    LOWEST = SUM_BITS_MIN - 1
    waiting = uint(SUM_BITS)
    place = uint(PLACES)  # bit k: the leading one stands k above the lowest place

    @always(clk.posedge)
    def find():
        rest = intbv(0)[SUM_BITS:]
        found = intbv(0)[PLACES:]
        # each place is told by itself: a tree, not a chain
        for k in range(PLACES):
            rest[:] = total >> (LOWEST + k)
            found[k] = rest == 1
        place.next = found
        waiting.next = total

    @always(clk.posedge)
    def count():
        code = intbv(0)[ZERO_BITS:]
        code[:] = 0
        for k in range(PLACES):
            if place[k]:
                code[:] = code | (PLACES - 1 - k)
        zeros.next = code
        whole.next = waiting

    return find, count


def ports() -> dict:
    """Fresh ports."""
    return dict(clk=bit(), total=uint(SUM_BITS), whole=uint(SUM_BITS), zeros=uint(ZERO_BITS))
