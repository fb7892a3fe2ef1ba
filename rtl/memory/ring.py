"""Where a ring buffer is written and read, and how much it holds."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def ring(clk, rst, push, pop, write, read, count, some, DEPTH):
    """The next place to write and to read of DEPTH (1 or more, any number), in turn.

    Ports: clk, rst; push, pop: an entry goes in, comes out: no push when full, no pop when empty; write, read: places;
    count: entries, up to DEPTH; some: count is not 0. All of them registers.
    `write` and `read` are equal only when the ring is empty or full: one place is never written and read at once.
    """
    LAST = DEPTH - 1

    @always(clk.posedge)
    def move():
        if rst:
            write.next = 0
            read.next = 0
            count.next = 0
            some.next = False
        else:
            if push:
                if write == LAST:
                    write.next = 0
                else:
                    write.next = write + 1
            if pop:
                if read == LAST:
                    read.next = 0
                else:
                    read.next = read + 1
            if push and not pop:
                count.next = count + 1
                some.next = True
            elif pop and not push:
                count.next = count - 1
                some.next = count != 1

    return move


def ports(depth):
    """Fresh ports and parameters, by name."""
    places = dict(write=uint(clog2(depth)), read=uint(clog2(depth)), count=uint(depth.bit_length()))
    return dict(clk=bit(), rst=bit(), push=bit(), pop=bit(), **places, some=bit(), DEPTH=depth)
