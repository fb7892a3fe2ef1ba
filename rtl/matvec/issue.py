"""The sequencer of the matvec: which beat of the tape is what, and when it may pass."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.matvec.streams import command_stream
from llama2_myhdl.rtl.stream.stream import Payload, bit, uint
from llama2_myhdl.spec.causes import ACTIVATION, ATTENTION, CAUSE_BITS, DOWNSTREAM, HEADER, IDLE, TAPE, WEIGHTS
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.kinds import GAIN, KIND_BITS, OUT

NOTHING, EXPONENTS, ROWS, GAINS = range(4)
PHASE_BITS = 2

LATENCY = 1  # cycles from a beat to what `m` says of it, and to its cause


class Issued(Payload):
    """What `issue` says of the beat of the cycle before.

    weight: a beat of weights; first: of a row; row_end: the last one of a row; exponents: a beat of row exponents;
    lane: the row's place in its group; kind: of the command; last: last row of the command; free: with the last row,
    the vector is not needed again.
    """

    def __init__(self, lane_bits, kind_bits):
        super().__init__(weight=bit(), first=bit(), row_end=bit(), exponents=bit(), lane=uint(lane_bits),
                         kind=uint(kind_bits), last=bit(), free=bit())


@hblock
def issue(
    clk,
    rst,
    s,
    tape_valid,
    tape_ready,
    from_head,
    gain_valid,
    gain_ready,
    there,
    room,
    step,
    again,
    drop,
    row,
    cause,
    m,
    LANES,
):
    """One tape beat a cycle, also across rows, groups and commands, as long as nothing holds it.

    s: in, Stream(kind, rows, beats, release, head): commands; the next one is fetched while one runs. rows (unless
    GAIN) and beats are at least 1. Exponent beats wait for nothing; weight beats wait for `there` (the activation word
    that the beat meets) and `room` (the output has a place for another row), both registers; GAIN beats wait for
    gain_ready. tape_ready never depends on tape_valid.
    from_head: out, a register, of the command that runs: which of two tapes the beat wanted now comes from.
    step: out, a beat of weights passes in this cycle; row: out, so does the last one of a row. again, drop: out, of
    the beat wanted now if it is one of weights: the next one meets the vector's first word again; the vector is
    released with it. cause: out, uint(CAUSE_BITS) of spec/causes.py, of every cycle, LATENCY cycles later.
    m: out, Issued, LATENCY cycles later.
    """
    LAST_LANE = LANES - 1
    phase = uint(PHASE_BITS)
    waiting = bit()  # the next command is in the next_ registers
    next_kind, kind = uint(len(s.kind)), uint(len(s.kind))
    next_rows, rows = uint(len(s.rows)), uint(len(s.rows))  # rows still to come, this one included
    next_behind, behind = uint(len(s.beats)), uint(len(s.beats))  # beats behind the first one of a row
    next_frees, frees = bit(), bit()
    next_head = bit()
    left = Signal(modbv(0)[len(s.beats):])  # beats behind the one wanted now
    # registers, ready when the beat is: what a beat means is known a long way off within its cycle
    next_single, single = bit(), bit()  # a row has one beat
    next_last_row, last_row = bit(), bit()
    first_beat, last_beat = bit(), bit()
    lane = uint(len(m.lane))
    # whether a beat passes is known late: what it would change stands ready in registers, and it only enables
    passes = bit()
    ending = bit()  # the beat wanted now is the command's last one
    closing = bit()  # the next command may begin behind this cycle: none runs, or at its last beat
    moves = bit()  # a beat passes, or none is wanted
    start = bit()

    @always_comb
    def handshake():
        s.ready.next = not waiting
        tape_ready.next = phase == EXPONENTS or (phase == ROWS and room and there) or (phase == GAINS and gain_ready)
        gain_valid.next = tape_valid and phase == GAINS

    @always_comb
    def wanted():
        ending.next = last_beat and ((phase == ROWS and last_row) or phase == GAINS)
        again.next = last_beat and not (last_row and frees)
        drop.next = last_beat and last_row and frees

    @always_comb
    def passing():
        passes.next = tape_valid and tape_ready
        # not by `passes`: what takes gains is of no concern here, and its word comes late
        step.next = tape_valid and phase == ROWS and room and there
        row.next = tape_valid and phase == ROWS and room and there and last_beat

    @always_comb
    def starts():
        closing.next = phase == NOTHING or ending
        moves.next = phase == NOTHING or passes
        start.next = waiting and closing and moves

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
            next_last_row.next = s.rows == 1
            next_behind.next = s.beats - 1
            next_single.next = s.beats == 1
            next_frees.next = s.release
            next_head.next = s.head

    @always(clk.posedge)
    def advance():
        if rst:
            phase.next = NOTHING
        elif moves:
            if closing:
                if not waiting:
                    phase.next = NOTHING
                elif next_kind == GAIN:
                    phase.next = GAINS
                else:
                    phase.next = EXPONENTS
            elif phase == EXPONENTS:
                phase.next = ROWS
            elif phase == ROWS and last_beat and lane == LAST_LANE:
                phase.next = EXPONENTS

    @always(clk.posedge)
    def count():
        if moves:
            if closing:
                kind.next = next_kind
                rows.next = next_rows
                last_row.next = next_last_row
                behind.next = next_behind
                single.next = next_single
                frees.next = next_frees
                from_head.next = next_head
                left.next = next_behind
                first_beat.next = True
                last_beat.next = next_single
                lane.next = 0
            elif phase == ROWS and last_beat:
                rows.next = rows - 1
                last_row.next = rows == 2
                left.next = behind
                first_beat.next = True
                last_beat.next = single
                if lane == LAST_LANE:
                    lane.next = 0
                else:
                    lane.next = lane + 1
            elif phase != EXPONENTS:
                left.next = left - 1
                first_beat.next = False
                last_beat.next = left == 1

    @always(clk.posedge)
    def tell():
        m.exponents.next = passes and phase == EXPONENTS
        m.weight.next = step and not rst
        m.first.next = first_beat
        m.row_end.next = row and not rst
        m.lane.next = lane
        m.kind.next = kind
        m.last.next = last_row
        m.free.next = last_row and frees

    @always(clk.posedge)
    def explain():
        if rst or phase == NOTHING:
            cause.next = IDLE
        elif phase == ROWS and not there:
            if kind == OUT:
                cause.next = ATTENTION
            else:
                cause.next = ACTIVATION
        elif (phase == ROWS and not room) or (phase == GAINS and not gain_ready):
            cause.next = DOWNSTREAM
        elif not tape_valid:
            cause.next = TAPE
        elif phase == ROWS:
            cause.next = WEIGHTS
        else:
            cause.next = HEADER

    return handshake, wanted, passing, starts, fetch, advance, count, tell, explain


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `issue(**ports(cfg))`."""
    tape = {name: bit() for name in ("tape_valid", "tape_ready", "from_head", "gain_valid", "gain_ready")}
    steps = {name: bit() for name in ("there", "room", "step", "again", "drop", "row")}
    m = Issued(clog2(cfg.lanes), KIND_BITS)
    common = dict(clk=bit(), rst=bit(), s=command_stream(cfg))
    return dict(**common, **tape, **steps, cause=uint(CAUSE_BITS), m=m, LANES=cfg.lanes)
