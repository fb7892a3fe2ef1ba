"""A FIFO whose host asks how much is in it."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def mailbox(clk, rst, s, m, count, DEPTH):
    """s, m: Streams of the same payload; count: out, a register, how many have come in and not yet gone out.

    At most DEPTH, then `s.ready` is low. One transfer a cycle.
    """
    queue = s.clone()
    carry_ = carry(s, queue)
    fifo_ = fifo(clk, rst, queue, m, DEPTH=DEPTH)  # its output register is one place more
    comes, goes = bit(), bit()

    @always_comb
    def handshake():
        queue.valid.next = s.valid and count != DEPTH
        s.ready.next = queue.ready and count != DEPTH
        comes.next = s.valid and queue.ready and count != DEPTH
        goes.next = m.valid and m.ready

    @always(clk.posedge)
    def follow():
        if rst:
            count.next = 0
        elif comes and not goes:
            count.next = count + 1
        elif goes and not comes:
            count.next = count - 1

    return carry_, fifo_, handshake, follow


mailbox.words = ("s", "m")


def ports(stream, depth):
    """Arguments for beats like those of `stream`, by name."""
    pins = dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())
    return dict(**pins, count=uint(depth.bit_length()), DEPTH=depth)
