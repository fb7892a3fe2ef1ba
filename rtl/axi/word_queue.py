"""Beats of the bus that have come, until they are wanted."""

from myhdl import always_comb

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.memory import banked_ram as store
from llama2_myhdl.rtl.memory.banked_ram import banked_ram
from llama2_myhdl.rtl.memory.reader import reader
from llama2_myhdl.rtl.memory.ring import ring
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def word_queue(clk, rst, push, word, m, left, DEPTH):
    """First in, first out, for one that cannot wait: DEPTH words in block RAM, a few more behind it; a word a cycle.

    push: in, `word`, a Payload, has come; m: Stream of the same, from registers; left: out, in this cycle a place
    becomes free. Who pushes counts the places; one push too many ends a simulation.
    """
    wanted = Stream(address=uint(clog2(DEPTH)))
    write, read, raddr = [uint(clog2(DEPTH)) for _ in range(3)]
    count, some, too_many = uint(DEPTH.bit_length()), bit(), bit()
    entry, found = uint(word.width), uint(word.width)
    words = Stream(data=uint(word.width))
    LATENCY = store.latency(DEPTH, word.width)

    packing = pack_payload(word, entry)
    ring_ = ring(clk, rst, push, pop=left, write=write, read=read, count=count, some=some, DEPTH=DEPTH)
    banked_ram_ = banked_ram(clk, we=push, waddr=write, wdata=entry, raddr=raddr, rdata=found, DEPTH=DEPTH)
    reader_ = reader(clk, rst, wanted, words, raddr, found, LATENCY=LATENCY)
    unpacking = unpack_payload(words.data, m)
    check_ = check(clk, rst, too_many, MESSAGE="a word of the bus has no place")

    @always_comb
    def want():
        wanted.valid.next = some
        wanted.address.next = read

    @always_comb
    def moves():
        left.next = some and wanted.ready
        too_many.next = push and count == DEPTH

    @always_comb
    def forward():
        m.valid.next = words.valid
        words.ready.next = m.ready

    return packing, ring_, banked_ram_, reader_, unpacking, check_, want, moves, forward


def ports(word: Payload, depth):
    """Fresh ports and parameters for words like `word`, by name."""
    return dict(clk=bit(), rst=bit(), push=bit(), word=word, m=Stream(**word.types()), left=bit(), DEPTH=depth)
