"""Sorts the head rows of a token: key and value rows to the caches, query rows to the units' queues."""
from myhdl import always, always_comb

from rtl.config import clog2
from rtl.hdl.hierarchy import hblock, unused
from rtl.layer import kinds
from rtl.stream.stream import bit, uint


@hblock
def row_intake(clk, rst, s, layer, kv_mul, n_kv_heads, head_done, token_done, row, exponent, base, key_we, value_we,
               push, busy, CFG):
    """Counts heads and gives each row its place.

    Ports: clk, rst; s, layer, kv_mul, n_kv_heads as in `attention`; head_done, token_done: a head's, a token's last
    element leaves; row, exponent, base: registered row, exponent and {kv head of the unit, layer}; key_we, value_we,
    push uint(attention_units): one strobe a unit; busy: from the first row of a token to its last element.
    Takes one row a cycle until max_heads query rows are inside.
    """
    UNITS = CFG.attention_units
    LAST_UNIT = UNITS - 1
    LAYERS = CFG.max_layers
    ROOM = CFG.max_heads

    head, group = uint(len(n_kv_heads)), uint(len(kv_mul))  # kv head; query head within it
    unit = uint(UNITS)  # one-hot
    offset = uint(len(base))  # kv head of the unit, times max_layers
    present = uint(clog2(ROOM + 1))
    room, accepted = bit(), bit()
    unused(s.last)

    @always_comb
    def handshake():
        s.ready.next = room
        accepted.next = s.valid and room

    @always(clk.posedge)
    def count_heads():
        if rst:
            head.next = 0
            group.next = 0
            unit.next = 1
            offset.next = 0
        elif accepted:
            if s.tag == kinds.QUERY and group != kv_mul - 1:
                group.next = group + 1
            else:
                group.next = 0
                if head == n_kv_heads - 1:
                    head.next = 0
                    unit.next = 1
                    offset.next = 0
                else:
                    head.next = head + 1
                    if unit[LAST_UNIT]:
                        unit.next = 1
                        offset.next = offset + LAYERS
                    else:
                        unit.next = unit << 1

    @always(clk.posedge)
    def count_present():
        if rst:
            present.next = 0
            room.next = False
        elif accepted and s.tag == kinds.QUERY and not head_done:
            present.next = present + 1
            room.next = present < ROOM - 1
        elif head_done and not (accepted and s.tag == kinds.QUERY):
            present.next = present - 1
            room.next = True
        else:
            room.next = present != ROOM

    @always(clk.posedge)
    def strobes():
        key_we.next = 0
        value_we.next = 0
        push.next = 0
        if rst:
            busy.next = False
        elif accepted:
            busy.next = True
            if s.tag == kinds.KEY:
                key_we.next = unit
            elif s.tag == kinds.VALUE:
                value_we.next = unit
            else:
                push.next = unit
        elif token_done:
            busy.next = False

    @always(clk.posedge)
    def data():
        row.next = s.data
        exponent.next = s.exponent
        base.next = layer + offset

    return handshake, count_heads, count_present, strobes, data
