"""Writes the key and value rows of tokens to memory."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.rtl.attention.cache_rows import base_bits
from llama2_myhdl.rtl.axi.bursts import run_stream
from llama2_myhdl.rtl.cache.head_run import rest_bits
from llama2_myhdl.rtl.cache.rows import key_rows, value_rows
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.cache import EXPONENT_BYTES, layout
from llama2_myhdl.spec.config import clog2

_BYTE = 8
_TOKENS = 2  # whose rows may wait, see `recent`


@hblock
def row_writer(clk, rst, key_we, row, exponent, value_we, value_row, value_exponent, base, pos, first, m, m_word, CFG):
    """Two runs for each position of a head: its exponents, and the key row with the value row.

    key_we, value_we uint(attention_units): `row` and `exponent`, or those of the value, come; key and value rows in the
    same order of heads, each for one unit. base: {kv head of the unit, layer, seq}, pos: of the value row.
    first: address of the cache's first word; m: `run_stream`; m_word: Stream(data, strb), as `write_master` has them.
    A row every row_beats + 5 cycles; those of two tokens may wait.
    """
    WHERE = layout(CFG)
    HEAD, ROW, GROUP_BITS, LAST = WHERE.head_beats, WHERE.row_beats, WHERE.group_bits, WHERE.row_beats - 1
    GROUP_BEATS = WHERE.rows_beats(WHERE.group)
    UNIT_BEATS = WHERE.unit_heads * HEAD
    WIDTH, BYTES = CFG.cache.data_bits, CFG.cache.word_bytes
    ALL, BOTH, SHIFT = (1 << BYTES) - 1, (1 << EXPONENT_BYTES) - 1, EXPONENT_BYTES.bit_length() - 1
    UNITS, DEPTH = len(value_we), _TOKENS * CFG.max_kv_heads
    PAD = ROW * WIDTH - len(row) - len(value_row)
    IDLE, PLACE, ADD, EXPONENTS, WORDS = range(5)
    key_in, key = key_rows(CFG), key_rows(CFG)
    value_in = Stream(**value_rows(CFG).types(), base=uint(len(base)), pos=uint(len(pos)), unit=uint(UNITS))
    value = value_in.clone()
    state = uint(3)
    taking, exponents_left, words_left = [bit() for _ in range(3)]  # the last two: of the row, still to be offered
    front, unit_front, corner, place = [uint(len(first)) for _ in range(4)]
    group, at = uint(len(pos)), uint(GROUP_BITS)  # of the position: its group, and its row of that
    lane = uint(GROUP_BITS + SHIFT)  # the first byte of the row's exponents
    joined, held = uint(ROW * WIDTH), uint(ROW * WIDTH)
    key_byte, value_byte, repeated, exponents = uint(_BYTE), uint(_BYTE), uint(WIDTH), uint(WIDTH)
    beat = uint(clog2(ROW))
    zeros = uint(max(1, PAD))
    unused(zeros)
    unused(key_in.ready, value_in.ready)  # there is room for the rows of all tokens that `recent` lets in

    key_fifo = fifo(clk, rst, key_in, key, DEPTH=DEPTH)
    value_fifo = fifo(clk, rst, value_in, value, DEPTH=DEPTH)
    joining = pack([key.data, value.data, zeros] if PAD else [key.data, value.data], joined)
    repeating = pack([key_byte, value_byte] * WHERE.group, repeated)

    @always_comb
    def enter():
        key_in.valid.next = key_we
        key_in.data.next = row
        key_in.exponent.next = exponent
        value_in.valid.next = value_we != 0
        value_in.data.next = value_row
        value_in.exponent.next = value_exponent
        value_in.base.next = base
        value_in.pos.next = pos
        value_in.unit.next = value_we

    @always_comb
    def look():
        taking.next = state == IDLE and key.valid and value.valid
        key.ready.next = state == IDLE and value.valid
        value.ready.next = state == IDLE and key.valid
        zeros.next = 0
        key_byte.next = key.exponent
        lane.next = at << SHIFT
        value_byte.next = value.exponent

    @always(clk.posedge)
    def choose():
        if taking:
            unit_front.next = 0
            for k in range(UNITS):
                if value.unit[k]:
                    unit_front.next = k * UNIT_BEATS

    @always_comb
    def offer():
        m_word.valid.next = exponents_left or words_left
        if exponents_left:
            m_word.data.next = exponents
            m_word.strb.next = BOTH << lane
        else:
            m_word.data.next = held[WIDTH:]
            m_word.strb.next = ALL

    @always(clk.posedge)
    def control():
        if rst:
            state.next = IDLE
            m.valid.next = False
        elif state == IDLE:
            if taking:
                state.next = PLACE
        elif state == PLACE:
            state.next = ADD
        elif state == ADD:
            state.next = EXPONENTS
            m.valid.next = True
        elif state == EXPONENTS:
            if m.ready:
                state.next = WORDS
        else:
            if m.ready:
                m.valid.next = False
            if (m.ready or not m.valid) and not exponents_left and not words_left:
                state.next = IDLE

    @always(clk.posedge)
    def find():
        if taking:
            front.next = value.base * HEAD + first
            group.next = value.pos >> GROUP_BITS
            at.next = value.pos[GROUP_BITS:]
            place.next = value.pos * ROW
        elif state == PLACE:
            front.next = front + unit_front
            corner.next = group * GROUP_BEATS
            place.next = place + group + 1
        elif state == ADD:
            m.word.next = front + corner
            m.rest.next = 0
            front.next = front + place
        elif state == EXPONENTS:
            if m.ready:
                m.word.next = front
                m.rest.next = LAST

    @always(clk.posedge)
    def give():
        if rst:
            exponents_left.next = False
            words_left.next = False
        elif taking:
            exponents_left.next = True
            words_left.next = True
            beat.next = 0
        elif m_word.ready:
            exponents_left.next = False
            if not exponents_left:
                beat.next = beat + 1
                if beat == LAST:
                    beat.next = 0
                    words_left.next = False

    @always(clk.posedge)
    def move():
        if taking:
            held.next = joined
            exponents.next = repeated
        elif m_word.ready and not exponents_left:
            held.next = held >> WIDTH

    return key_fifo, value_fifo, joining, repeating, enter, look, choose, offer, control, find, give, move


def ports(cfg):
    """Fresh ports and parameters, by name."""
    keys, values = key_rows(cfg), value_rows(cfg)
    words = cfg.cache.word_address_bits
    return dict(
        clk=bit(),
        rst=bit(),
        key_we=bit(),
        row=keys.data,
        exponent=keys.exponent,
        value_we=uint(cfg.attention_units),
        value_row=values.data,
        value_exponent=values.exponent,
        base=uint(base_bits(cfg)),
        pos=uint(cfg.pos_bits),
        first=uint(words),
        m=run_stream(words, rest_bits(cfg)),
        m_word=Stream(data=uint(cfg.cache.data_bits), strb=uint(cfg.cache.word_bytes)),
        CFG=cfg,
    )
