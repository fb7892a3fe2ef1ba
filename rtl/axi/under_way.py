"""How many bursts are under way, and whether there may be one more."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def under_way(clk, rst, take, give, stop, room, busy, LIMIT):
    """take: in, only while `room`: a burst begins; give: in, one ends; stop: in, none may begin any more.

    room, busy: out, registers: there may be another one, from a cycle behind reset on; there is one. LIMIT: 2 or more.
    """
    LAST = LIMIT - 1
    count = uint(LIMIT.bit_length())

    @always(clk.posedge)
    def follow():
        if rst:
            count.next = 0
            room.next = False
            busy.next = False
        elif take and not give:
            count.next = count + 1
            room.next = count != LAST and not stop
            busy.next = True
        elif give and not take:
            count.next = count - 1
            room.next = not stop
            busy.next = count != 1
        else:
            room.next = count != LIMIT and not stop

    return follow


def ports(limit):
    """Fresh ports and parameters, by name."""
    return dict(**{name: bit() for name in ("clk", "rst", "take", "give", "stop", "room", "busy")}, LIMIT=limit)
