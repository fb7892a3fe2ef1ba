"""Holds the gains of one vector and hands them out element by element."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec import program
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import GAIN_BITS

# Where a weight, and so a lane, has 16 bits, a beat has LANES mantissas.

MAX_GROUP = 4  # mantissas that are read from the memory at once


@hblock
def gain_buffer(clk, rst, s, taken, last, gain, exponent, ready, gain_beats, CFG):
    """s: Stream(data=uint(CFG.beat_bits)): a beat with the signed exponent in byte 0, then `gain_beats` beats of
    LANES / 2 mantissas, low first; taken while the buffer is empty, one beat a cycle.

    ready: out, `gain` (signed GAIN_BITS) is that of the vector's next element. taken: in, that element is used in this
    cycle (only while `ready`); last: in, beside it, and no other follows: the buffer is empty again.
    exponent: out, signed CFG.exp_bits, holds until the next vector's exponent beat.
    gain_beats: 1 .. that of CFG.max_dim. A new gain every cycle; three cycles from the last beat to `ready`.
    """
    DEPTH = program.gain_beats(CFG.max_dim, CFG)
    BEAT_BITS = CFG.beat_bits
    GROUP = min(MAX_GROUP, BEAT_BITS // GAIN_BITS)
    GROUP_BITS = GROUP * GAIN_BITS
    LAST_ROW, LAST_PART, LAST_LANE = DEPTH - 1, BEAT_BITS // GROUP_BITS - 1, GROUP - 1
    OFFSET_LOW, OFFSET_BITS = clog2(GROUP_BITS), clog2(BEAT_BITS)  # bit offset of a group in its beat
    EXP_BITS = len(exponent)

    words = [uint(BEAT_BITS) for _ in range(DEPTH)]
    full, header, take, settled, load = [bit() for _ in range(5)]
    write, read = uint(clog2(DEPTH)), uint(clog2(DEPTH))
    left = uint(len(gain_beats))  # mantissa beats that are still to come
    part, lane = uint(clog2(LAST_PART + 1)), uint(clog2(GROUP))
    ahead, current = uint(GROUP_BITS), uint(GROUP_BITS)

    @always_comb
    def moves():
        s.ready.next = not full
        take.next = s.valid and not full
        load.next = (settled and not ready) or (taken and lane == LAST_LANE)
        gain.next = current[GAIN_BITS:].signed()

    @always(clk.posedge)
    def fill():
        if rst:
            full.next = False
            header.next = True
        elif taken and last:
            full.next = False
            header.next = True
        elif take:
            header.next = False
            full.next = not header and left == 1

    @always(clk.posedge)
    def store():
        if take:
            if header:
                exponent.next = s.data[EXP_BITS:].signed()
                left.next = gain_beats
                write.next = 0
            else:
                words[write].next = s.data
                left.next = left - 1
                if write == LAST_ROW:
                    write.next = 0
                else:
                    write.next = write + 1

    @always(clk.posedge)
    def step():
        if rst:
            settled.next = False
            ready.next = False
        else:
            settled.next = full and not (taken and last)
            ready.next = (ready or settled) and not (taken and last)

    # a group is read while the one before it is handed out, so the memory and its selector have a cycle of their own
    @always(clk.posedge)
    def look_ahead():
        word = intbv(0)[BEAT_BITS:]
        offset = intbv(0)[OFFSET_BITS:]
        word[:] = words[read]
        offset[:] = concat(part, intbv(0)[OFFSET_LOW:])
        word[:] = word >> offset
        ahead.next = word[GROUP_BITS:]
        if not full:
            read.next = 0
            part.next = 0
        elif load:
            if part == LAST_PART:
                part.next = 0
                if read == LAST_ROW:
                    read.next = 0
                else:
                    read.next = read + 1
            else:
                part.next = part + 1

    @always(clk.posedge)
    def hand_out():
        if load:
            current.next = ahead
            lane.next = 0
        elif taken:
            current.next = current >> GAIN_BITS
            lane.next = lane + 1

    return moves, fill, store, step, look_ahead, hand_out
