"""Reciprocals of the heads' denominators, made ahead of their numerators."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith import reciprocal as newton
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.arith.reciprocal import reciprocal
from llama2_myhdl.rtl.attention import leading_one as finding
from llama2_myhdl.rtl.attention.leading_one import leading_one
from llama2_myhdl.rtl.memory.ring import ring
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.formats import EXP2_FRAC

LATENCY = finding.LATENCY + newton.LATENCY  # cycles from `load` to the first possible `take`


@hblock
def denominator(clk, rst, load, den, scale, take, factor, top, P_FRAC, HEADS):
    """factor = reciprocal of (den >> scale) as 0.16, top = place of its leading one: of one head after the other.

    Ports: clk, rst; load: den, scale are a head's final ones; take: factor, top become those of the next head in the
    cycle after and stay until the next `take`. A `take` comes LATENCY cycles after its `load` or later; HEADS heads (2
    or more) may be ready and wait for theirs. One load a cycle. Two multipliers (18x18).

        den ─> leading_one ─> reciprocal ─┬─> queue ─┬─> factor
                                          └──────────┘
    """
    END = LATENCY - 1
    LAST = HEADS - 1

    d, y = uint(EXP2_FRAC + 1), uint(EXP2_FRAC + 1)
    top0, top_y = uint(len(top)), uint(len(top))
    entry, given = uint(len(y) + len(top)), uint(len(y) + len(top))
    memory = [uint(len(entry)) for _ in range(HEADS)]
    write, read = uint(LAST.bit_length()), uint(LAST.bit_length())
    count = uint(HEADS.bit_length())
    some = bit()  # the memory holds a head
    loads = uint(LATENCY)  # bit k: load, k + 1 cycles ago
    arrives, push, pop, early, full = [bit() for _ in range(5)]

    leading_one_ = leading_one(clk, den, scale, d, top0, P_FRAC=P_FRAC)
    reciprocal_ = reciprocal(clk, d, y)
    delay_ = delay(clk, top0, top_y, CYCLES=newton.LATENCY)
    ring_ = ring(clk=clk, rst=rst, push=push, pop=pop, write=write, read=read, count=count, some=some, DEPTH=HEADS)
    packing = pack([y, top_y], entry)
    unpacking = unpack(given, [factor, top])

    @always_comb
    def moves():
        arrives.next = loads[END]
        push.next = loads[END] and (some or not take)
        pop.next = take and some

    @always(clk.posedge)
    def follow():
        if rst:
            loads.next = 0
        else:
            loads.next = concat(loads[END:], load)

    @always(clk.posedge)
    def store():
        if push:
            memory[write].next = entry

    @always(clk.posedge)
    def give():
        if take:
            if some:
                given.next = memory[read]
            else:
                given.next = entry

    @always_comb
    def watch():
        early.next = take and not (some or arrives)
        full.next = push and count == HEADS

    early_check = check(clk, rst, early, MESSAGE="denominator: a head was taken before its reciprocal was there")
    full_check = check(clk, rst, full, MESSAGE="denominator: more heads wait than there is room for")
    return (leading_one_, reciprocal_, delay_, ring_, packing, unpacking, moves, follow, store, give, watch,
            early_check, full_check)
