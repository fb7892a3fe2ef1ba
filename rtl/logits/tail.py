"""The end of a station that has the classifier: logits become a prediction, and with it the packet is done."""

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.logits.answer import answer
from llama2_myhdl.rtl.logits.argmax import argmax
from llama2_myhdl.rtl.stream.stream import Stream, uint


@hblock
def tail(clk, rst, s_logit, s_exit, m, done, pos, seq, scored, CFG):
    """s_logit: (data=F, last), the logits of a scored packet; s_exit: (data=F, last), the vector of one that is not.

    m: prediction with the label pos, seq, scored; done: out, pulse when it is taken.
    Latency and rate of `argmax`: one logit a cycle.
    """
    best = Stream(token=uint(CFG.token_bits))
    argmax_ = argmax(clk, rst, s_logit, best, CFG=CFG)
    answer_ = answer(clk, rst, best, s_exit, m, done, pos, seq, scored)
    return argmax_, answer_
