"""The end of a packet's way: a prediction, with a token if the packet was scored."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.layer.packet import label, prediction, vector
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import F_BITS


def best_stream(cfg: BuildConfig) -> Stream:
    """The token of a vector of logits; in builds with a sampler also logprob (F), 0 where it is not wanted."""
    more = dict(logprob=sint(F_BITS)) if cfg.list_entries else {}
    return Stream(token=uint(cfg.token_bits), **more)


@hblock
def answer(clk, rst, s_best, s_exit, m, done, pos, seq, scored):
    """s_best: `best_stream`, of a scored packet; s_exit: (data, last), the vector of one that is not, dropped here.

    m: prediction with the label pos, seq, scored; done: out, pulse when it is taken. token, and in builds with a
    sampler logprob, are 0 if not scored.
    """
    dropped = bit()
    unused(s_exit.data)

    @always_comb
    def label():
        m.pos.next = pos
        m.seq.next = seq
        m.scored.next = scored
        if scored:
            m.token.next = s_best.token
        else:
            m.token.next = 0

    @always_comb
    def handshake():
        m.valid.next = s_best.valid or dropped
        s_best.ready.next = m.ready and not dropped
        s_exit.ready.next = not dropped
        done.next = m.ready and (s_best.valid or dropped)

    @always(clk.posedge)
    def drop():
        if rst:
            dropped.next = False
        elif dropped:
            dropped.next = not m.ready
        else:
            dropped.next = s_exit.valid and s_exit.last

    scoring = ()
    if hasattr(m, "logprob"):

        @always_comb
        def score():
            if scored:
                m.logprob.next = s_best.logprob
            else:
                m.logprob.next = 0

        scoring = score

    return label, handshake, drop, scoring


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `answer(**ports(cfg))`."""
    streams = dict(s_best=best_stream(cfg), s_exit=vector(cfg), m=prediction(cfg))
    return dict(clk=bit(), rst=bit(), **streams, done=bit(), **label(cfg))
