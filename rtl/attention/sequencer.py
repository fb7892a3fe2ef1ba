"""Walks the key rows 0 .. pos of one head after the other."""
from myhdl import always, always_comb, concat

from rtl.attention import divide
from rtl.attention.query_queue import SPACING
from rtl.hdl.hierarchy import hblock
from rtl.stream.stream import bit, uint

INTERVAL = max(divide.INTERVAL, SPACING)  # least cycles between two heads; head_dim cycles if that is more


@hblock
def sequencer(clk, rst, waiting, head_base, take, pos, head_dim, addr, valid, first, last):
    """One key address a cycle; the next head starts right behind, but not before the divider can take it.

    Ports: clk, rst; waiting, head_base, take: head of the query queue; pos, head_dim: stable while the unit is busy;
    addr = {head_base, t}, valid, first (t = 0), last (t = pos): registers.
    A head takes max(pos + 1, head_dim, INTERVAL) cycles.
    """
    T_BITS = len(pos)
    PAUSE_BITS = max(len(head_dim), INTERVAL.bit_length())
    t, t_next = uint(T_BITS), uint(T_BITS + 1)
    base = uint(len(head_base))
    pause, interval = uint(PAUSE_BITS), uint(PAUSE_BITS)
    start = bit()

    @always_comb
    def decide():
        start.next = waiting and pause == 0 and (last or not valid)

    @always_comb
    def tell():
        take.next = start
        addr.next = concat(base, t)

    @always(clk.posedge)
    def longest():
        if head_dim > INTERVAL:
            interval.next = head_dim
        else:
            interval.next = INTERVAL

    @always(clk.posedge)
    def control():
        if rst:
            valid.next = False
            first.next = False
            last.next = False
            pause.next = 0
        else:
            first.next = start
            if start:
                valid.next = True
                last.next = pos == 0
                pause.next = interval - 1
            else:
                if pause != 0:
                    pause.next = pause - 1
                if last:
                    valid.next = False
                    last.next = False
                elif valid:
                    last.next = t_next == pos

    @always(clk.posedge)
    def walk():
        if start:
            base.next = head_base
            t.next = 0
            t_next.next = 1
        elif valid and not last:
            t.next = t_next[T_BITS:]
            t_next.next = t_next + 1

    return decide, tell, longest, control, walk
