"""Two activation vectors: one is read by the matvec while the next one is written."""

from myhdl import always, always_comb, concat

from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.memory import ram as memory
from rtl.memory.ram import ram
from rtl.stream.credit import credit
from rtl.stream.stream import bit, sint, uint

SLOTS = 2
LATENCY = memory.LATENCY  # cycles from slot and word to data, and from scalar_slot to factor and scale


@hblock
def activation_buffer(clk, rst, s, slot, word, data, done, available, scalar_slot, factor, scale, free, DEPTH):
    """Writes vectors into two slots in turn; they are read in the same order, by address.

    s: in, Stream(data, factor, scale, last): a vector as words; factor and scale are taken with the last one.
    `s.ready` is a register, low while both slots are taken.
    slot, word: in, read address; data: out, LATENCY cycles later (put a register behind it).
    available: out, a vector is loaded that `done` has not yet dismissed; done: in, pulse, the oldest one is not read
    after this cycle. scalar_slot: in; factor, scale: out, of that slot, LATENCY cycles later.
    free: in, pulse, the oldest slot may be written again (at least a cycle after its `done`).
    DEPTH: words of the longest vector.
    """
    ADDRESS = clog2(DEPTH)
    write_slot = bit()
    write_word = uint(ADDRESS)
    arriving, ending = bit(), bit()  # a word is taken in this cycle; so is the last one of a vector
    write, filled = bit(), bit()  # the same, a cycle later: they enable a whole array
    loaded = uint(SLOTS.bit_length())
    waddr, raddr = uint(ADDRESS + 1), uint(ADDRESS + 1)
    wdata = uint(len(s.data))
    last_factor, factor0, factor1 = (uint(len(s.factor)) for _ in range(3))
    last_scale, scale0, scale1 = (sint(len(s.scale)) for _ in range(3))
    # an empty slot may be read and written at once: what is read then counts for nothing
    words = ram(clk, write, waddr, wdata, raddr, data, DEPTH=SLOTS << ADDRESS)
    slots = credit(clk, rst, ending, free, s.ready, DEPTH=SLOTS)

    @always_comb
    def moves():
        arriving.next = s.valid and s.ready
        ending.next = s.valid and s.ready and s.last
        available.next = loaded != 0
        raddr.next = concat(slot, word[ADDRESS:])

    @always(clk.posedge)
    def control():
        if rst:
            write_slot.next = False
            write_word.next = 0
            write.next = False
            filled.next = False
            loaded.next = 0
        else:
            write.next = arriving
            filled.next = ending
            if ending:
                write_slot.next = not write_slot
                write_word.next = 0
            elif arriving:
                write_word.next = write_word + 1
            if filled and not done:
                loaded.next = loaded + 1
            elif done and not filled:
                loaded.next = loaded - 1

    @always(clk.posedge)
    def hold():
        waddr.next = concat(write_slot, write_word)
        wdata.next = s.data
        last_factor.next = s.factor
        last_scale.next = s.scale

    @always(clk.posedge)
    def scalars():
        if filled:
            if waddr[ADDRESS]:
                factor1.next = last_factor
                scale1.next = last_scale
            else:
                factor0.next = last_factor
                scale0.next = last_scale
        if scalar_slot:
            factor.next = factor1
            scale.next = scale1
        else:
            factor.next = factor0
            scale.next = scale0

    return words, slots, moves, control, hold, scalars
