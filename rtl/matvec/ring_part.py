"""The ring of the activation buffer for a few lanes, with addresses of its own."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.rtl.memory import ram as memory
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import bit

LATENCY = memory.LATENCY  # cycles from a step to `part`


@hblock
def ring_part(clk, rst, arriving, data, step, again, drop, part, ADDRESS):
    """What rtl/matvec/activation_buffer.py says, for some bits of each word; all parts go in step.

    arriving: in, `data` is a word of the ring; step, again, drop: in, as there; part: out, these bits of the word used,
    LATENCY cycles later. ADDRESS: bits of an address; 2**ADDRESS - 1 words fit.
    One address for all lanes would have to reach the whole chip within a cycle. The RAM is distributed: its registered
    output may feed multipliers.
    """
    write, word, base, ahead = (Signal(modbv(0)[ADDRESS:]) for _ in range(4))
    # The place behind the last word is always free, so it is written in every cycle; what is read of it meanwhile is
    # not used.
    always_on = tied(bit(True))
    ram_ = ram(clk, we=always_on, waddr=write, wdata=data, load=always_on, raddr=word, rdata=part, DEPTH=1 << ADDRESS,
               STYLE="distributed")

    @always_comb
    def choose():
        if again:
            ahead.next = base
        else:
            ahead.next = word + 1

    @always(clk.posedge)
    def follow():
        if rst:
            write.next = 0
            word.next = 0
            base.next = 0
        else:
            if arriving:
                write.next = write + 1
            if step:
                word.next = ahead
                if drop:
                    base.next = ahead

    return ram_, choose, follow
