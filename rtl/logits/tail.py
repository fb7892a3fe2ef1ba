"""The end of a station that has the classifier: logits become a prediction, and with it the packet is done."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.logits.answer import answer, best_stream
from llama2_myhdl.rtl.logits.argmax import argmax
from llama2_myhdl.rtl.sampling.sampler import draw_stream, sampler
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint


@hblock
def tail(clk, rst, start, s_logit, s_exit, m, done, pos, seq, scored, overflow, order=None, CFG=None):
    """s_logit: (data=F, last), the logits of a scored packet; s_exit: (data=F, last), the vector of one that is not.

    start: pulse when the packet comes; m: prediction with the label pos, seq, scored; done: out, pulse when it is
    taken. order: Order of the packet, standing still from the cycle after `start` to `done`, None in builds without a
    sampler; overflow: out, pulse when a token is drawn for which the list was too short.

        s_logit ─┬─> argmax ──┬─> answer ─> m       the sampler's where a token is drawn, or its probability wanted
                 └─> sampler ─┘
        s_exit ──────────────────> dropped

    One logit a cycle. Latency of `argmax`, or where the sampler is wanted its own.
    """
    best = best_stream(CFG)
    answer_ = answer(clk, rst, best, s_exit, m, done, pos, seq, scored)
    if not CFG.list_entries:
        unused(start, overflow)
        argmax_ = argmax(clk, rst, s_logit, best, CFG=CFG)
        return argmax_, answer_

    to_argmax, to_sampler = s_logit.clone(), s_logit.clone()
    largest, drawn = Stream(token=uint(CFG.token_bits)), draw_stream(CFG)
    draws, wanted = bit(), bit()
    logits = [carry(s_logit, branch) for branch in (to_argmax, to_sampler)]
    argmax_ = argmax(clk, rst, to_argmax, largest, CFG=CFG)
    sampler_ = sampler(clk=clk, rst=rst, start=start, settings=order.settings, position=pos, given=order.given,
                       target=order.target, s=to_sampler, m=drawn, ENTRIES=CFG.list_entries)

    @always_comb
    def fork():
        to_argmax.valid.next = s_logit.valid and to_sampler.ready
        to_sampler.valid.next = s_logit.valid and to_argmax.ready
        s_logit.ready.next = to_argmax.ready and to_sampler.ready

    @always_comb
    def plan():
        draws.next = not (order.settings.greedy or order.given)
        wanted.next = order.settings.logprobs or not (order.settings.greedy or order.given)

    @always_comb
    def join():
        best.valid.next = largest.valid and (drawn.valid or not wanted)
        largest.ready.next = best.ready and (drawn.valid or not wanted)
        drawn.ready.next = best.ready and largest.valid
        overflow.next = drawn.valid and best.ready and largest.valid and drawn.beyond

    @always_comb
    def choose():
        if draws:
            best.token.next = drawn.token
        else:
            best.token.next = largest.token
        if wanted:
            best.logprob.next = drawn.logprob
        else:
            best.logprob.next = 0

    return answer_, logits, argmax_, sampler_, fork, plan, join, choose
