"""The sequencer of the matvec: which beat of the tape is what, and when it may pass."""

from myhdl import always, always_comb

from rtl.hdl.hierarchy import hblock
from rtl.layer.kinds import GAIN
from rtl.stream.stream import Payload, bit, uint

IDLE, EXPONENTS, WEIGHTS, GAINS = range(4)
PHASE_BITS = 2

LATENCY = 1  # cycles from a beat to what `m` says of it


class Issued(Payload):
    """What `issue` says of the beat of the cycle before.

    weight: a beat of weights; first: of a row; row_end: the last one of a row; exponents: a beat of row exponents;
    lane: the row's place in its group; kind: of the command; last: last row of the command; slot: of the activation
    vector; free: with the last row, the vector is not needed again.
    """

    def __init__(self, lane_bits, kind_bits):
        super().__init__(weight=bit(), first=bit(), row_end=bit(), exponents=bit(), lane=uint(lane_bits),
                         kind=uint(kind_bits), last=bit(), slot=bit(), free=bit())


@hblock
def issue(
    clk, rst, s, tape_valid, tape_ready, gain_valid, gain_ready, available, room, slot, word, row, done, m, LANES
):
    """One tape beat a cycle, also across rows, groups and commands, as long as nothing holds it.

    s: in, Stream(kind, rows, beats, release): commands; the next one is fetched while one runs. rows (unless GAIN)
    and beats are at least 1. A command of rows waits until `available` (an activation vector is loaded); its weight
    beats wait for `room` (a register: the output has a place for another row); GAIN beats wait for gain_ready.
    slot, word: out, the activation word that meets the beat now at the tape's head. row: out, the last beat of a row
    passes in this cycle; done: out, so does the last beat that reads the activation vector.
    m: out, Issued, LATENCY cycles later. tape_ready never depends on tape_valid.
    """
    LAST_LANE = LANES - 1
    phase = uint(PHASE_BITS)
    waiting = bit()  # the next command is in the next_ registers
    next_kind, kind = uint(len(s.kind)), uint(len(s.kind))
    next_rows, rows = uint(len(s.rows)), uint(len(s.rows))  # rows still to come, this one included
    next_last_word, last_word = uint(len(s.beats)), uint(len(s.beats))  # number of the last beat
    next_drop, drop = bit(), bit()
    lane = uint(len(m.lane))
    exponents, weight, gain = bit(), bit(), bit()  # such a beat passes
    last_row = bit()
    ended = bit()  # the command's last beat passes
    start = bit()

    @always_comb
    def handshake():
        s.ready.next = not waiting
        tape_ready.next = (
            (phase == EXPONENTS and available) or (phase == WEIGHTS and room) or (phase == GAINS and gain_ready)
        )
        gain_valid.next = tape_valid and phase == GAINS
        exponents.next = tape_valid and available and phase == EXPONENTS
        weight.next = tape_valid and room and phase == WEIGHTS
        gain.next = tape_valid and gain_ready and phase == GAINS

    @always_comb
    def counts():
        last_row.next = rows == 1

    @always_comb
    def ends():
        row.next = weight and word == last_word
        done.next = weight and word == last_word and last_row and drop
        ended.next = word == last_word and ((weight and last_row) or gain)

    @always_comb
    def starts():
        start.next = waiting and (phase == IDLE or ended)

    @always(clk.posedge)
    def fetch():
        if rst:
            waiting.next = False
        elif start:
            waiting.next = False
        elif s.valid and not waiting:
            waiting.next = True
        if s.valid and not waiting:
            next_kind.next = s.kind
            next_rows.next = s.rows
            next_last_word.next = s.beats - 1
            next_drop.next = s.release

    @always(clk.posedge)
    def advance():
        if rst:
            phase.next = IDLE
        elif start:
            if next_kind == GAIN:
                phase.next = GAINS
            else:
                phase.next = EXPONENTS
        elif ended:
            phase.next = IDLE
        elif exponents:
            phase.next = WEIGHTS
        elif row and lane == LAST_LANE:
            phase.next = EXPONENTS

    @always(clk.posedge)
    def count():
        if start:
            kind.next = next_kind
            rows.next = next_rows
            last_word.next = next_last_word
            drop.next = next_drop
            word.next = 0
            lane.next = 0
        elif row:
            rows.next = rows - 1
            word.next = 0
            if lane == LAST_LANE:
                lane.next = 0
            else:
                lane.next = lane + 1
        elif weight or gain:
            word.next = word + 1

    @always(clk.posedge)
    def turn():
        if rst:
            slot.next = False
        elif done:
            slot.next = not slot

    @always(clk.posedge)
    def tell():
        m.exponents.next = exponents
        m.weight.next = weight and not rst
        m.first.next = word == 0
        m.row_end.next = row and not rst
        m.lane.next = lane
        m.kind.next = kind
        m.last.next = last_row
        m.slot.next = slot
        m.free.next = last_row and drop

    return handshake, counts, ends, starts, fetch, advance, count, turn, tell
