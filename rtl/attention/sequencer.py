"""Walks the rows 0 .. pos of one head after the other."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def sequencer(clk, rst, waiting, base, taken, permit, pos, addr, step, first, last):
    """One row a cycle where it is permitted; the next head starts right behind.

    Ports: clk, rst; waiting, base, taken: valid, payload and ready of the stream of heads; permit: the row may be read;
    pos: stable from two cycles before a head waits; addr = {base, t}; step: the row is read in this cycle; first, last:
    t = 0, t = pos, registers.
    """
    T_BITS = len(pos)
    t, t_next = uint(T_BITS), uint(T_BITS + 1)
    at_origin = bit()

    @always_comb
    def decide():
        step.next = waiting and permit
        taken.next = permit and last
        addr.next = concat(base, t)

    @always(clk.posedge)
    def walk():
        at_origin.next = pos == 0
        if rst or (waiting and permit and last):
            t.next = 0
            t_next.next = 1
            first.next = True
            last.next = at_origin
        elif waiting and permit:
            t.next = t_next[T_BITS:]
            t_next.next = t_next + 1
            first.next = False
            last.next = t_next == pos
        elif first:
            last.next = at_origin

    return decide, walk
