"""Streams the rows of heads from memory, ahead of an attention unit's passes."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.attention import key_side
from llama2_myhdl.rtl.attention.cache_rows import base_bits
from llama2_myhdl.rtl.axi.bursts import burst_stream, bursts, piece_stream, run_stream
from llama2_myhdl.rtl.axi.places import places
from llama2_myhdl.rtl.axi.word_queue import word_queue
from llama2_myhdl.rtl.cache.head_run import head_run, rest_bits
from llama2_myhdl.rtl.cache.row_words import row_words
from llama2_myhdl.rtl.cache.rows import key_rows, position_rows, token_label, value_rows
from llama2_myhdl.rtl.stream.connect import carry, connect
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, uint
from llama2_myhdl.spec.cache import layout

_KEYS = 2  # key rows that wait for their pass


@hblock
def head_reader(clk, rst, push, base, first, token, request, arrives, data, m_key, m_value, UNIT, CFG):
    """push, base, first, UNIT: as of `head_run`; m_key, m_value: `key_rows` and `value_rows` of pass after pass.

        passes ──> runs ──> bursts ──> places ──> request                    to memory
                                         ^ a place is free
        data ──> queue ──> rows ─┬─> key fifo ──> m_key                      from memory
                                 └─> value fifo ──> m_value

    request: `burst_stream`; arrives: in, `data` is the next word. A place in the queue is taken for every word when it
    is asked for, so whoever does not take rows stops nothing but this reader.
    """
    run = run_stream(len(first), rest_bits(CFG))
    pieces, cut = piece_stream(len(first)), burst_stream(len(first))
    left = bit()
    word = Payload(data=data)
    words = Stream(data=uint(len(data)))
    rows, key, value = position_rows(CFG), key_rows(CFG), value_rows(CFG)
    unused(token.begin, token.turn, pieces.last)

    head_run_ = head_run(clk, rst, push, base, first, token.rows, token.less, token.none, run, UNIT=UNIT, CFG=CFG)
    bursts_ = bursts(clk, rst, run, pieces, BURST=CFG.cache.burst)
    connect_ = connect(pieces, cut)
    places_ = places(clk, rst, cut, request, give=left, DEPTH=CFG.cache.depth)
    word_queue_ = word_queue(clk, rst, push=arrives, word=word, m=words, left=left, DEPTH=CFG.cache.depth)
    row_words_ = row_words(clk, rst, words, rows, token.less, CFG=CFG)
    of_key = carry(rows, key, data=rows.key, exponent=rows.key_exponent)
    of_value = carry(rows, value, data=rows.value, exponent=rows.value_exponent)
    key_fifo = fifo(clk, rst, key, m_key, DEPTH=_KEYS)
    # a value row waits for the score of the key row beside it
    value_fifo = fifo(clk, rst, value, m_value, DEPTH=key_side.latency(CFG) // layout(CFG).row_beats + 2)

    @always_comb
    def both():
        rows.ready.next = key.ready and value.ready
        key.valid.next = rows.valid and value.ready
        value.valid.next = rows.valid and key.ready

    return (
        head_run_,
        bursts_,
        connect_,
        places_,
        word_queue_,
        row_words_,
        of_key,
        of_value,
        key_fifo,
        value_fifo,
        both,
    )


def ports(cfg, unit):
    """Fresh ports and parameters, by name."""
    words, streams = cfg.cache.word_address_bits, dict(m_key=key_rows(cfg), m_value=value_rows(cfg))
    return dict(
        clk=bit(),
        rst=bit(),
        push=bit(),
        base=uint(base_bits(cfg)),
        first=uint(words),
        token=token_label(cfg),
        request=burst_stream(words),
        arrives=bit(),
        data=uint(cfg.cache.data_bits),
        **streams,
        UNIT=unit,
        CFG=cfg,
    )
