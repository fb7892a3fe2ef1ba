"""Holds the gains of one vector and hands them out element by element."""
from myhdl import always, always_comb, concat, intbv

from rtl.config import GAIN_BITS, clog2
from rtl.hdl.hierarchy import hblock
from rtl.layer import program
from rtl.stream.stream import bit, uint


@hblock
def gain_buffer(clk, rst, s, taken, last, gain, exponent, ready, gain_beats, CFG):
    """s: Stream(data=uint(CFG.beat_bits)): a beat with the signed exponent in byte 0, then `gain_beats` beats of
    LANES / 2 mantissas, low first; taken while the buffer is empty, one beat a cycle.

    ready: out, `gain` (signed GAIN_BITS) is that of the vector's next element. taken: in, that element is used in this
    cycle (only while `ready`); last: in, beside it, and no other follows: the buffer is empty again.
    exponent: out, signed CFG.exp_bits, holds until the next vector's exponent beat.
    gain_beats: 1 .. that of CFG.max_dim. A new gain every cycle; two cycles from the last beat to `ready`.
    """
    DEPTH = program.gain_beats(CFG.max_dim, CFG.lanes)
    PER_BEAT = CFG.beat_bits // GAIN_BITS
    LAST_ROW, LAST_LANE = DEPTH - 1, PER_BEAT - 1
    BEAT_BITS = CFG.beat_bits
    OFFSET_LOW, OFFSET_BITS = clog2(GAIN_BITS), clog2(BEAT_BITS)  # bit offset of a lane in its beat
    EXP_BITS = len(exponent)

    words = [uint(BEAT_BITS) for _ in range(DEPTH)]
    full, header, take, fetch = [bit() for _ in range(4)]
    write, read = uint(clog2(DEPTH)), uint(clog2(DEPTH))
    left = uint(len(gain_beats))  # mantissa beats that are still to come
    lane = uint(clog2(PER_BEAT))

    @always_comb
    def moves():
        s.ready.next = not full
        take.next = s.valid and not full
        fetch.next = (full and not ready) or taken

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
            ready.next = False
            lane.next = 0
            read.next = 0
        elif taken and last:
            ready.next = False
            lane.next = 0
            read.next = 0
        elif fetch:
            ready.next = True
            if lane == LAST_LANE:
                lane.next = 0
                if read == LAST_ROW:
                    read.next = 0
                else:
                    read.next = read + 1
            else:
                lane.next = lane + 1

    @always(clk.posedge)
    def hand_out():
        word = intbv(0)[BEAT_BITS:]
        offset = intbv(0)[OFFSET_BITS:]
        word[:] = words[read]
        offset[:] = concat(lane, intbv(0)[OFFSET_LOW:])
        if fetch:
            word[:] = word >> offset
            gain.next = word[GAIN_BITS:].signed()

    return moves, fill, store, step, hand_out
