"""Activation vectors one behind the other in a ring of words, read a word a beat while the next ones are written."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.matvec import ring_part as parts
from llama2_myhdl.rtl.matvec.ring_part import ring_part
from llama2_myhdl.rtl.matvec.streams import activation_stream
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2

LATENCY = parts.LATENCY  # cycles from a step to the word that it was for
FIRST = 1  # cycles from the transfer of a word to the first step that may use it


@hblock
def activation_buffer(clk, rst, s, there, step, again, drop, data, DEPTH, PARTS):
    """Writes words into the ring, and hands them out in order: the oldest vector, as often as it is wanted.

    s: in, Stream(data, last): vectors as words; `s.ready` is a register, low while the ring is full.
    there: out, a register, the next word is in the ring; step: in, it is used in this cycle (only while `there`);
    again, drop: in, with `step` (else of no account): the next one is the vector's first word again, or the vector is
    not wanted any more, of which this was the last word; with neither, the word behind it. step may come late in the
    cycle. data: out, the word used, LATENCY cycles after its step.
    DEPTH: words the ring holds at least; it holds one less than the next power of two. PARTS: pieces, 2 or more, of as
    many lanes each, in which the words are kept.
    A word may be used FIRST cycles after its transfer, whether or not its vector is complete; a step every cycle.
    """
    ADDRESS = clog2(DEPTH + 1)
    RING = 1 << ADDRESS
    CAPACITY = RING - 1
    WIDTH = len(s.data)
    write, word, base, limit, after_write, after_word = (Signal(modbv(0)[ADDRESS:]) for _ in range(6))
    ahead, wanted = uint(ADDRESS), uint(ADDRESS)
    arriving, dropped, overwritten, early, unfinished = (bit() for _ in range(5))
    stays, goes_on, returns = (bit() for _ in range(3))  # there is a word: the same one, the next one, the first one
    parts_in, parts_out = ([uint(WIDTH // PARTS) for _ in range(PARTS)] for _ in range(2))
    last_in, last_out = uint(1), uint(1)
    unpacking = unpack(s.data, parts_in)
    packing = pack(parts_out, data)
    ring_parts = [ring_part(clk=clk, rst=rst, arriving=arriving, data=parts_in[k], step=step, again=again, drop=drop,
                            part=parts_out[k], ADDRESS=ADDRESS) for k in range(PARTS)]
    last_ring_part = ring_part(clk=clk, rst=rst, arriving=arriving, data=last_in, step=step, again=again, drop=drop,
                               part=last_out, ADDRESS=ADDRESS)
    overwriting_check = check(clk, rst, overwritten, MESSAGE="a word that may still be read is overwritten")
    early_check = check(clk, rst, early, MESSAGE="a word is used that is not there")
    unfinished_check = check(clk, rst, unfinished, MESSAGE="a vector is dropped at a word that is not its last")

    @always_comb
    def arrive():
        arriving.next = s.valid and s.ready
        after_write.next = write + 1
        after_word.next = word + 1
        last_in.next = s.last

    @always_comb
    def choose():
        if again:
            ahead.next = base
        else:
            ahead.next = after_word

    @always_comb
    def look():
        if step:
            wanted.next = ahead
        else:
            wanted.next = word
        # all three, as step comes late
        stays.next = word != write
        goes_on.next = after_word != write
        returns.next = base != write

    @always_comb
    def faults():
        overwritten.next = s.valid and s.ready and write == limit
        early.next = step and not there
        unfinished.next = dropped and last_out == 0

    @always(clk.posedge)
    def fill():
        if rst:
            write.next = 0
            s.ready.next = False
        elif arriving:
            write.next = after_write
            s.ready.next = after_write != limit
        else:
            s.ready.next = write != limit

    @always(clk.posedge)
    def follow():
        if rst:
            word.next = 0
            base.next = 0
            limit.next = CAPACITY
            there.next = False
        else:
            word.next = wanted
            if not step:
                there.next = arriving or stays
            elif again:
                there.next = arriving or returns
            else:
                there.next = arriving or goes_on
            if step and drop:
                base.next = after_word
                limit.next = after_word + CAPACITY

    @always(clk.posedge)
    def remember():
        dropped.next = step and drop and not rst

    return (
        unpacking,
        packing,
        ring_parts,
        last_ring_part,
        overwriting_check,
        early_check,
        unfinished_check,
        arrive,
        choose,
        look,
        faults,
        fill,
        follow,
        remember,
    )


def ports(cfg: BuildConfig, DEPTH: int, PARTS: int) -> dict:
    """Fresh ports and parameters for the words of a build: `activation_buffer(**ports(cfg, DEPTH, PARTS))`."""
    control = {name: bit() for name in ("there", "step", "again", "drop")}
    data = uint(cfg.act_word_bits)
    return dict(clk=bit(), rst=bit(), s=activation_stream(cfg), **control, data=data, DEPTH=DEPTH, PARTS=PARTS)
