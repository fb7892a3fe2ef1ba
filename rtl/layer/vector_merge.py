"""Brings the three sources of activation vectors to the one block quantiser, a whole vector at a time."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import pairs, vector
from llama2_myhdl.rtl.quant.quantiser import element_stream
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.kinds import GAIN, GATE_UP, OUT


@hblock
def vector_merge(clk, rst, s_norm, s_attention, s_ffn, m):
    """Sources: s_norm and s_ffn (data F, last), s_attention pairs (data F, second F, last); m: (data, second, both,
    tag, last), `both` with a pair, tag GAIN for norm, OUT for attention, GATE_UP for SwiGLU.

    Between vectors the source that has data is granted at once, norm before attention before SwiGLU, and kept until its
    last transfer; one that was offered to m and not taken stays first. Latency 0, no idle cycle between vectors.
    """
    # who may begin: all of them between vectors, else the one whose vector is under way or waits to begin
    norm_may, attention_may, ffn_may = bit(1), bit(1), bit(1)
    norm, attention = bit(), bit()  # whose element it is; neither's: SwiGLU's

    @always_comb
    def choose():
        norm.next = s_norm.valid and norm_may
        attention.next = s_attention.valid and attention_may and not (s_norm.valid and norm_may)

    @always_comb
    def payload():
        m.data.next = s_ffn.data
        m.second.next = 0
        m.both.next = False
        m.last.next = s_ffn.last
        m.tag.next = GATE_UP
        if norm:
            m.data.next = s_norm.data
            m.last.next = s_norm.last
            m.tag.next = GAIN
        elif attention:
            m.data.next = s_attention.data
            m.second.next = s_attention.second
            m.both.next = True
            m.last.next = s_attention.last
            m.tag.next = OUT

    @always_comb
    def valid():
        m.valid.next = norm or attention or (s_ffn.valid and ffn_may)

    # a source's ready looks at the other sources' valid only
    @always_comb
    def ready():
        s_norm.ready.next = m.ready and norm_may
        s_attention.ready.next = m.ready and attention_may and not norm
        s_ffn.ready.next = m.ready and ffn_may and not norm and not (s_attention.valid and attention_may)

    @always(clk.posedge)
    def keep():
        if rst or (m.valid and m.ready and m.last):
            norm_may.next = True
            attention_may.next = True
            ffn_may.next = True
        elif m.valid:
            norm_may.next = norm
            attention_may.next = attention
            ffn_may.next = not norm and not attention

    return choose, payload, valid, ready, keep


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `vector_merge(**ports(cfg))`."""
    sources = dict(s_norm=vector(cfg), s_attention=pairs(cfg), s_ffn=vector(cfg))
    return dict(clk=bit(), rst=bit(), **sources, m=element_stream())
