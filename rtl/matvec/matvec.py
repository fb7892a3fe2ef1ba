"""Matrix times vector: rows of a weight tape against buffered activation vectors, exactly golden.fixed.matvec."""

from math import ceil

from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.matvec import issue as issuing
from llama2_myhdl.rtl.matvec import mac_array as multipliers
from llama2_myhdl.rtl.matvec import results as finishing
from llama2_myhdl.rtl.matvec import row_exponents as exponent_bank
from llama2_myhdl.rtl.matvec.accumulator import accumulator
from llama2_myhdl.rtl.matvec.activation_buffer import activation_buffer
from llama2_myhdl.rtl.matvec.issue import Issued, issue
from llama2_myhdl.rtl.matvec.mac_array import mac_array
from llama2_myhdl.rtl.matvec.results import Row, results
from llama2_myhdl.rtl.matvec.row_exponents import row_exponents
from llama2_myhdl.rtl.matvec.streams import activation_stream, beat_stream, command_stream, row_stream, scale_stream
from llama2_myhdl.rtl.stream import skid as skid_buffer
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.causes import CAUSE_BITS
from llama2_myhdl.spec.config import BuildConfig

PART_LANES = 8  # lanes whose activations have an address of their own
WAIT = 24  # rows that may wait for the scalar of their vector while the tape goes on


def sum_latency(lanes: int) -> int:
    """Cycles from the last beat of a row to its sum."""
    return issuing.LATENCY + multipliers.latency(lanes)


def latency(lanes: int) -> int:
    """Cycles from the transfer of a row's last beat to `m_row.valid`, its scalar being there and no row before it."""
    return sum_latency(lanes) + finishing.LATENCY + skid_buffer.LATENCY


def ring_words(cfg: BuildConfig) -> int:
    """Words of the activation ring: a vector of max_dim, the hidden vector whole, and a block of the next one."""
    return cfg.dim_beats + cfg.hidden_beats + cfg.block_beats


def most_vectors(cfg: BuildConfig) -> int:
    """Vectors whose scalars may wait: all blocks of the hidden vector, the one before and the one behind them."""
    return ceil(cfg.max_hidden / cfg.hidden_block) + 2


@hblock
def matvec(clk, rst, s_cmd, s_tape, s_act, s_scale, m_row, m_gain, from_head, cause, saturated, CFG):
    """One command a matrix; the tape's beats and the activation words do the rest.

    s_cmd: Stream(kind, rows, beats, release, head): `rows` rows of `beats` beats (each at least 1); kind GAIN: no rows,
    `beats` beats pass unchanged to m_gain. A matrix meets the oldest activation vector; the last row of a command with
    `release` is the last one to do so, and is as long as the vector (rows of others may be shorter).
    s_tape: Stream(data): for every group of LANES rows (the last one may be short) a beat of signed exponents, byte r
    for row r of the group, then the rows, `beats` beats of LANES int8 weights each, element 0 low, zero padded.
    from_head: out, a register, `head` of the command that runs: s_tape is to be the head's tape while it is high.
    s_act: Stream(data, last): a vector, LANES mantissas a word; word w meets beat w of every row, from
    activation_buffer.FIRST cycles after its own transfer. `ring_words` of them fit, of any number of vectors.
    s_scale: Stream(factor, scale): one a vector in their order, also long after the words: rows wait for it.
    m_row: Stream(data, kind, last): one F value a row, in order; last with the last row of a command.
    m_gain: Stream(data). cause: out, uint(CAUSE_BITS) of spec/causes.py, what the tape's slot did in the cycle
    before. saturated: out, high for a cycle for each row that was clipped. CFG: BuildConfig; the streams are those of
    rtl/matvec/streams.py.

    One tape beat a cycle without bubbles, also across rows, groups, commands and vectors; a beat waits only for its
    activation word, or while there is no place for its row. Latency `latency(LANES)`. LANES + 2 multipliers (+ 3 from
    35 accumulator bits on).

        s_cmd ──> issue ──────── tags ─────────────────────────────────────┐
        s_tape ─> beat ─┬─> row_exponents ──────────────┐                  │
                        └─> mac_array ─> accumulator ─> results (narrow) ─> skid ─> m_row
        s_act ──> activation_buffer ┘      s_scale ─────┘
    """
    LANES = CFG.lanes
    MAC = multipliers.latency(LANES)  # cycles from `now` to the row's sum
    EXPONENT_WAIT = MAC - exponent_bank.LATENCY  # none with a tree of one stage
    ROWS = sum_latency(LANES) + 1 + WAIT
    TAG_BITS = len(m_row.kind) + 4
    there, room, step, again, drop, row, arrives, taken = (bit() for _ in range(8))
    now = Issued((LANES - 1).bit_length(), len(s_cmd.kind))
    beat, values = uint(CFG.beat_bits), uint(CFG.act_word_bits)
    dot = sint(CFG.weight_bits + CFG.act_bits + LANES.bit_length() - 1)
    enable, first = bit(), bit()
    exponent = sint(CFG.exp_bits)
    exponent_in, exponent_out = uint(CFG.exp_bits), uint(CFG.exp_bits)
    tag, tag_at_end = uint(TAG_BITS), uint(TAG_BITS)
    travelling = uint(MAC)  # bit k: the last beat of a row, k + 1 cycles after `now`
    narrowed = m_row.clone()
    finished = Row(max(CFG.acc_bits, len(dot)), CFG.exp_bits, len(m_row.kind))

    issue_ = issue(clk=clk, rst=rst, s=s_cmd, tape_valid=s_tape.valid, tape_ready=s_tape.ready, from_head=from_head,
                   gain_valid=m_gain.valid, gain_ready=m_gain.ready, there=there, room=room, step=step, again=again,
                   drop=drop, row=row, cause=cause, m=now, LANES=LANES)
    activation_buffer_ = activation_buffer(clk=clk, rst=rst, s=s_act, there=there, step=step, again=again, drop=drop,
                                           data=values, DEPTH=ring_words(CFG), PARTS=max(2, LANES // PART_LANES))
    if EXPONENT_WAIT:
        row_exponents_ = row_exponents(clk, now.exponents, beat, now.lane, exponent, LANES=LANES)
        pack_exponent = pack([exponent], exponent_in)
        exponent_delay = delay(clk, exponent_in, exponent_out, CYCLES=EXPONENT_WAIT)
        unpack_exponent = unpack(exponent_out, [finished.exponent])
        exponents = row_exponents_, pack_exponent, exponent_delay, unpack_exponent
    else:
        row_exponents_ = row_exponents(clk, now.exponents, beat, now.lane, finished.exponent, LANES=LANES)
        exponents = row_exponents_
    mac_array_ = mac_array(clk, now.weight, beat, values, dot, LANES=LANES)
    accumulator_ = accumulator(clk, enable, first, dot, finished.acc)
    results_ = results(clk=clk, rst=rst, arrives=arrives, row=finished, s_scale=s_scale, m=narrowed, taken=taken,
                       saturated=saturated, DEPTH=ROWS, SCALES=most_vectors(CFG))
    skid_ = skid(clk, rst, narrowed, m_row)  # who takes rows is far away, and several of them say together if they do
    tag_delay = delay(clk, tag, tag_at_end, CYCLES=MAC)
    credit_ = credit(clk, rst, row, taken, room, DEPTH=ROWS)

    pack_tag = pack([now.kind, now.last, now.free, now.weight, now.first], tag)
    unpack_tag = unpack(tag_at_end, [finished.kind, finished.last, finished.free, enable, first])

    @always(clk.posedge)
    def hold():
        beat.next = s_tape.data

    gains = carry(s_tape, m_gain)

    @always(clk.posedge)
    def travel():
        if rst:
            travelling.next = 0
        else:
            travelling.next = concat(travelling[MAC - 1:], now.row_end)

    @always_comb
    def arrive():
        arrives.next = travelling[MAC - 1]

    return (issue_, activation_buffer_, exponents, mac_array_, accumulator_, results_, skid_, tag_delay, credit_,
            pack_tag, unpack_tag, hold, gains, travel, arrive)


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `matvec(**ports(cfg))`."""
    return dict(
        clk=bit(),
        rst=bit(),
        s_cmd=command_stream(cfg),
        s_tape=beat_stream(cfg),
        s_act=activation_stream(cfg),
        s_scale=scale_stream(cfg),
        m_row=row_stream(cfg),
        m_gain=beat_stream(cfg),
        from_head=bit(),
        cause=uint(CAUSE_BITS),
        saturated=bit(),
        CFG=cfg,
    )
