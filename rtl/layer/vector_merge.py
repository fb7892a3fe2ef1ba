"""Brings the three sources of activation vectors to the one block quantiser, a whole vector at a time."""

from myhdl import always, always_comb

from rtl.hdl.hierarchy import hblock
from rtl.layer.kinds import GAIN, GATE_UP
from rtl.stream.stream import bit, uint

NORM, ATTENTION, FFN = range(3)


@hblock
def vector_merge(clk, rst, s_norm, s_attention, s_ffn, m):
    """Sources: (data F, last), attention with its tag; m: (data F, tag, last), tag GAIN for norm, GATE_UP for SwiGLU.

    A source is granted when it has data and no vector is under way (norm first), and kept until its last element.
    One element a cycle; one idle cycle ahead of each vector.
    """
    owner = uint(2)
    held = bit()  # a vector is under way

    @always_comb
    def payload():
        m.data.next = s_norm.data
        m.last.next = s_norm.last
        m.tag.next = GAIN
        if owner == ATTENTION:
            m.data.next = s_attention.data
            m.last.next = s_attention.last
            m.tag.next = s_attention.tag
        elif owner == FFN:
            m.data.next = s_ffn.data
            m.last.next = s_ffn.last
            m.tag.next = GATE_UP

    @always_comb
    def valid():
        if owner == NORM:
            m.valid.next = held and s_norm.valid
        elif owner == ATTENTION:
            m.valid.next = held and s_attention.valid
        else:
            m.valid.next = held and s_ffn.valid

    @always_comb
    def ready():
        s_norm.ready.next = held and owner == NORM and m.ready
        s_attention.ready.next = held and owner == ATTENTION and m.ready
        s_ffn.ready.next = held and owner == FFN and m.ready

    @always(clk.posedge)
    def grant():
        if rst:
            held.next = False
        elif held:
            if m.valid and m.ready and m.last:
                held.next = False
        else:
            held.next = s_norm.valid or s_attention.valid or s_ffn.valid
            if s_norm.valid:
                owner.next = NORM
            elif s_attention.valid:
                owner.next = ATTENTION
            else:
                owner.next = FFN

    return payload, valid, ready, grant
