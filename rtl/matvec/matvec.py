"""Matrix times vector: rows of a weight tape against a buffered activation vector, exactly golden.fixed.matvec."""

from myhdl import always, always_comb, concat

from rtl.arith.delay import delay
from rtl.hdl.hierarchy import hblock, unused
from rtl.hdl.lanes import pack, unpack
from rtl.matvec import accumulator as accumulation
from rtl.matvec import issue as issuing
from rtl.matvec import mac_array as multipliers
from rtl.matvec import narrow as narrowing
from rtl.matvec import row_exponents as exponent_bank
from rtl.matvec.accumulator import accumulator
from rtl.matvec.activation_buffer import activation_buffer
from rtl.matvec.issue import Issued, issue
from rtl.matvec.mac_array import mac_array
from rtl.matvec.narrow import narrow
from rtl.matvec.row_exponents import row_exponents
from rtl.stream import fifo as output_fifo
from rtl.stream.credit import credit
from rtl.stream.elastic import TURN
from rtl.stream.fifo import fifo
from rtl.stream.stream import bit, sint, uint


def pipeline_latency(lanes: int) -> int:
    """Cycles from the last beat of a row to its result at the output FIFO."""
    return issuing.LATENCY + multipliers.latency(lanes) + accumulation.LATENCY + narrowing.LATENCY


def latency(lanes: int) -> int:
    """Cycles from the transfer of a row's last beat to `m_row.valid`, if no earlier row waits."""
    return pipeline_latency(lanes) + output_fifo.LATENCY


@hblock
def matvec(clk, rst, s_cmd, s_tape, s_act, m_row, m_gain, mac_beat, saturated, CFG):
    """One command a matrix; the tape's beats and the activation words do the rest.

    s_cmd: Stream(kind, rows, beats, release): `rows` rows of `beats` beats (each at least 1); kind GAIN: no rows,
    `beats` beats pass unchanged to m_gain. A matrix waits for the oldest loaded activation vector; with `release` that
    vector is dropped after it.
    s_tape: Stream(data): for every group of LANES rows (the last one may be short) a beat of signed exponents, byte r
    for row r of the group, then the rows, `beats` beats of LANES int8 weights each, element 0 low, zero padded.
    s_act: Stream(data, factor, scale, last): a vector, LANES mantissas a word; word w meets beat w of every row. Two
    vectors fit; factor and scale are taken with `last`.
    m_row: Stream(data, kind, last): one F value a row, in order; last with the last row of a command.
    m_gain: Stream(data). mac_beat: out, high for a cycle for each beat of weights. saturated: out, high for a cycle for
    each row that was clipped. CFG: BuildConfig; the streams are those of rtl/matvec/streams.py.

    One tape beat a cycle without bubbles, also across rows, groups and commands; a beat waits only while the output
    has no place for its row. Latency `latency(LANES)`. LANES + 2 multipliers (+ 3 from 35 accumulator bits on).

        s_cmd ──> issue ──────── tags ─────────────────────────────────────┐
        s_tape ─> beat ─┬─> row_exponents ───────────────┐                 │
                        └─> mac_array ─> accumulator ─> narrow ─> fifo ─> m_row
        s_act ──> activation_buffer ┴── factor, scale ───┘
    """
    LANES = CFG.lanes
    MAC = multipliers.latency(LANES)
    TO_ACC = MAC + accumulation.LATENCY  # cycles from `now` to the row's sum
    END = pipeline_latency(LANES) - issuing.LATENCY  # cycles from `now` to the result
    TAG_BITS = len(m_row.kind) + 1
    room, row, done, available, free, given = (bit() for _ in range(6))
    slot, word = bit(), uint(len(s_cmd.beats))
    now = Issued((LANES - 1).bit_length(), len(s_cmd.kind))
    beat, values = uint(CFG.beat_bits), uint(CFG.act_word_bits)
    dot = sint(CFG.weight_bits + CFG.act_bits + LANES.bit_length() - 1)
    acc = sint(max(CFG.acc_bits, len(dot)))
    early, at_acc = uint(4), uint(4)
    enable, first, slot_at_acc, free_at_acc = (bit() for _ in range(4))
    exponent = sint(CFG.exp_bits)
    exponent_in, exponent_out = uint(CFG.exp_bits), uint(CFG.exp_bits)
    exponent_at_narrow = sint(CFG.exp_bits)
    factor, scale = uint(len(s_act.factor)), sint(len(s_act.scale))
    clipped = bit()
    tag, tag_at_end = uint(TAG_BITS), uint(TAG_BITS)
    travelling = uint(END)  # bit k: the last beat of a row, k + 1 cycles after `now`
    result = m_row.clone()
    unused(result.ready)  # the credits keep room

    u_issue = issue(clk, rst, s_cmd, s_tape.valid, s_tape.ready, m_gain.valid, m_gain.ready, available, room, slot,
                    word, row, done, now, LANES=LANES)
    u_buffer = activation_buffer(clk, rst, s_act, slot, word, values, done, available, slot_at_acc, factor, scale, free,
                                 DEPTH=CFG.max_row_beats)
    u_exponents = row_exponents(clk, now.exponents, beat, now.lane, exponent, LANES=LANES)
    u_mac = mac_array(clk, beat, values, dot, LANES=LANES)
    u_accumulator = accumulator(clk, enable, first, dot, acc)
    u_narrow = narrow(clk, acc, factor, exponent_at_narrow, scale, result.data, clipped)
    u_early = delay(clk, early, at_acc, CYCLES=MAC)
    u_exponent = delay(clk, exponent_in, exponent_out, CYCLES=TO_ACC - exponent_bank.LATENCY)
    u_tag = delay(clk, tag, tag_at_end, CYCLES=END)
    u_room = credit(clk, rst, row, given, room, DEPTH=END + issuing.LATENCY + TURN)
    u_rows = fifo(clk, rst, result, m_row, DEPTH=END + issuing.LATENCY + TURN)

    pack_early = pack([now.weight, now.first, now.slot, now.free], early)
    unpack_early = unpack(at_acc, [enable, first, slot_at_acc, free_at_acc])
    pack_exponent = pack([exponent], exponent_in)
    unpack_exponent = unpack(exponent_out, [exponent_at_narrow])
    pack_tag = pack([now.kind, now.last], tag)
    unpack_tag = unpack(tag_at_end, [result.kind, result.last])

    @always(clk.posedge)
    def hold():
        beat.next = s_tape.data

    @always_comb
    def gains():
        m_gain.data.next = s_tape.data

    @always(clk.posedge)
    def travel():
        if rst:
            travelling.next = 0
        else:
            travelling.next = concat(travelling[END - 1:], now.row_end)

    @always_comb
    def outputs():
        mac_beat.next = now.weight
        free.next = free_at_acc and travelling[MAC - 1]
        given.next = m_row.valid and m_row.ready
        result.valid.next = travelling[END - 1]
        saturated.next = clipped and travelling[END - 1]

    return (u_issue, u_buffer, u_exponents, u_mac, u_accumulator, u_narrow, u_early, u_exponent, u_tag, u_room, u_rows,
            pack_early, unpack_early, pack_exponent, unpack_exponent, pack_tag, unpack_tag, hold, gains, travel,
            outputs)
