"""Two tapes in front of one matvec: that of the layers and that of the head."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint


@hblock
def tape_select(s_layers, s_head, from_head, m):
    """Combinational: m carries the beats of s_head while `from_head` is high, of s_layers otherwise."""

    @always_comb
    def forward():
        if from_head:
            m.data.next = s_head.data
            m.valid.next = s_head.valid
        else:
            m.data.next = s_layers.data
            m.valid.next = s_layers.valid

    @always_comb
    def backward():
        s_head.ready.next = m.ready and from_head
        s_layers.ready.next = m.ready and not from_head

    return forward, backward


def ports(beat_bits):
    """Fresh ports, by name."""
    return dict(**{name: Stream(data=uint(beat_bits)) for name in ("s_layers", "s_head", "m")}, from_head=bit())
