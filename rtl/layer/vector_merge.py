"""Brings the three sources of activation vectors to the one block quantiser, a whole vector at a time."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import pairs, vector
from llama2_myhdl.rtl.quant.quantiser import element_stream
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.kinds import GAIN, GATE_UP, OUT

NORM, ATTENTION, FFN = range(3)


@hblock
def vector_merge(clk, rst, s_norm, s_attention, s_ffn, m):
    """Sources: s_norm and s_ffn (data F, last), s_attention pairs (data F, second F, last); m: (data, second, both,
    tag, last), `both` with a pair, tag GAIN for norm, OUT for attention, GATE_UP for SwiGLU.

    Between vectors the source that has data is granted at once, norm before attention before SwiGLU, and kept until its
    last transfer; one that was offered to m and not taken stays first. Latency 0, no idle cycle between vectors.
    """
    owner = uint(2)
    held = bit()  # `owner` is in the middle of a vector, or waits to begin it
    chosen = uint(2)

    @always_comb
    def choose():
        if held:
            chosen.next = owner
        elif s_norm.valid:
            chosen.next = NORM
        elif s_attention.valid:
            chosen.next = ATTENTION
        else:
            chosen.next = FFN

    @always_comb
    def payload():
        m.data.next = s_norm.data
        m.second.next = 0
        m.both.next = False
        m.last.next = s_norm.last
        m.tag.next = GAIN
        if chosen == ATTENTION:
            m.data.next = s_attention.data
            m.second.next = s_attention.second
            m.both.next = True
            m.last.next = s_attention.last
            m.tag.next = OUT
        elif chosen == FFN:
            m.data.next = s_ffn.data
            m.last.next = s_ffn.last
            m.tag.next = GATE_UP

    @always_comb
    def valid():
        if chosen == NORM:
            m.valid.next = s_norm.valid
        elif chosen == ATTENTION:
            m.valid.next = s_attention.valid
        else:
            m.valid.next = s_ffn.valid

    # a source's ready looks at the other sources' valid only
    @always_comb
    def ready():
        if held:
            s_norm.ready.next = m.ready and owner == NORM
            s_attention.ready.next = m.ready and owner == ATTENTION
            s_ffn.ready.next = m.ready and owner == FFN
        else:
            s_norm.ready.next = m.ready
            s_attention.ready.next = m.ready and not s_norm.valid
            s_ffn.ready.next = m.ready and not s_norm.valid and not s_attention.valid

    @always(clk.posedge)
    def keep():
        if rst:
            held.next = False
        elif m.valid:
            held.next = not (m.ready and m.last)
            owner.next = chosen

    return choose, payload, valid, ready, keep


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `vector_merge(**ports(cfg))`."""
    sources = dict(s_norm=vector(cfg), s_attention=pairs(cfg), s_ffn=vector(cfg))
    return dict(clk=bit(), rst=bit(), **sources, m=element_stream())
