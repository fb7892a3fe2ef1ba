"""Gives the value rows of a token their places."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.attention.head_place import head_place
from llama2_myhdl.rtl.stream.stream import bit, uint

LATENCY = 1  # cycles from a row to its strobe


@hblock
def value_intake(clk, rst, s, layer, seq, n_kv_heads, row, exponent, base, we, CFG):
    """Counts the value rows of a token; takes a row a cycle.

    Ports: clk, rst; s, layer, seq, n_kv_heads: `s_value` and the others of `attention`. A cycle later: row, exponent;
    base: see `head_place`; we uint(attention_units): one strobe a unit.
    """
    unit = uint(CFG.attention_units)
    accepted = bit()
    unused(s.last, s.tag)

    head_place_ = head_place(clk=clk, rst=rst, step=accepted, layer=layer, seq=seq, n_kv_heads=n_kv_heads, unit=unit,
                             base=base, CFG=CFG)

    @always_comb
    def handshake():
        accepted.next = s.valid and s.ready

    @always(clk.posedge)
    def strobes():
        s.ready.next = not rst
        we.next = 0
        if accepted and not rst:
            we.next = unit

    @always(clk.posedge)
    def data():
        row.next = s.data
        exponent.next = s.exponent

    return head_place_, handshake, strobes, data
