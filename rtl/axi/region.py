"""Regions of memory as streams: a weight tape, read ahead over and over; or rows, as they are asked for."""

from myhdl import always, always_comb, block

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.axi.bursts import burst_stream, bursts, piece_stream, run_stream
from llama2_myhdl.rtl.axi.join_words import join_words
from llama2_myhdl.rtl.axi.places import places
from llama2_myhdl.rtl.axi.split_words import split_words
from llama2_myhdl.rtl.axi.word_queue import word_queue
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, uint
from llama2_myhdl.spec.config import clog2


def rest_bits(axi, beat_bits: int, most_beats: int) -> int:
    """Bits that count the words of a region of so many beats, less one."""
    return clog2(axi.words(most_beats, beat_bits))


def per_word(axi, beat_bits: int) -> int:
    """Beats of a word of the bus; 1 where a beat is a word or more."""
    return max(1, axi.data_bits // beat_bits)


@block
def offer(clk, rst, enable, base, rest, m, ONCE):
    """m: `run_stream`, the whole region from `enable` on, over and over; ONCE: one time. A plain block, inlined."""
    @always_comb
    def tell():
        m.word.next = base
        m.rest.next = rest

    if not ONCE:
        unused(m.ready)

        @always_comb
        def hold_out():
            m.valid.next = enable

        return tell, hold_out

    given = bit()

    @always_comb
    def hold_out_once():
        m.valid.next = enable and not given

    @always(clk.posedge)
    def follow():
        if rst:
            given.next = False
        elif m.valid and m.ready:
            given.next = True

    return tell, hold_out_once, follow


@hblock
def region(clk, rst, enable, rest, tail, request, arrives, data, m, AXI, base=None, starts=None, ONCE=False):
    """m: Stream(data), the beats of the region, endlessly repeated: the same as of `rtl/memory/tape.py`.

        runs ──> bursts ──> places ──> request          to memory
                               ^ a place is free
        data ──> queue ──> split or join ──> m          from memory

    enable: in, the region is known and stays so until reset; base: address of its first word, in words of the bus;
    rest: words behind the first one; tail: beats of the last word, less one (no more than the beats of a word).
    request: `burst_stream`; arrives: in, `data` is the region's next word, in any cycle. AXI: `spec.axi.ReadMaster`.
    ONCE: the region is read once, and m ends behind its last beat.
    A place in the queue is taken for every word when it is asked for. A beat a cycle, or what the bus brings.
    starts: Stream(word), in the place of `base`: a region begins at each of these words, and is read once.
    """
    run, pieces = run_stream(AXI.word_address_bits, len(rest)), piece_stream(AXI.word_address_bits)
    cut = burst_stream(AXI.word_address_bits)
    unused(pieces.last)
    left, last = bit(), bit()
    behind = uint(len(rest))  # words of the region behind the one that comes next
    word = Payload(data=data, last=last)
    words = Stream(data=uint(len(data)), last=bit())

    offering = connect(starts, run, rest=rest) if starts is not None else offer(clk, rst, enable, base, rest, run, ONCE)
    bursts_ = bursts(clk, rst, run, pieces, BURST=AXI.burst)
    cutting = connect(pieces, cut)
    places_ = places(clk, rst, cut, request, give=left, DEPTH=AXI.depth)
    word_queue_ = word_queue(clk, rst, push=arrives, word=word, m=words, left=left, DEPTH=AXI.depth)

    @always_comb
    def end():
        last.next = behind == 0

    @always(clk.posedge)
    def follow():
        if not enable:
            behind.next = rest
        elif arrives:
            if last:
                behind.next = rest
            else:
                behind.next = behind - 1

    if len(m.data) < len(data):
        split_words_ = split_words(clk, rst, words, m, tail)
        return offering, bursts_, cutting, places_, word_queue_, split_words_, end, follow
    unused(words.last, tail)
    if len(m.data) == len(data):
        connect_ = connect(words, m)
        return offering, bursts_, cutting, places_, word_queue_, connect_, end, follow
    plain = Stream(data=uint(len(data)))
    connect_ = connect(words, plain)
    join_words_ = join_words(clk, rst, plain, m)
    return offering, bursts_, cutting, places_, word_queue_, connect_, join_words_, end, follow


def region_ports(axi, beat_bits: int, most_beats: int) -> dict:
    """Fresh ports that say where a region lies, by name."""
    base, rest = uint(axi.word_address_bits), uint(rest_bits(axi, beat_bits, most_beats))
    return dict(base=base, rest=rest, tail=uint(clog2(per_word(axi, beat_bits))))


def ports(axi, beat_bits, most_beats):
    """Fresh ports and parameters, by name; most_beats: of the longest region."""
    axi.check_beat(beat_bits)
    where = region_ports(axi, beat_bits, most_beats)
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        **where,
        request=burst_stream(axi.word_address_bits),
        arrives=bit(),
        data=uint(axi.data_bits),
        m=Stream(data=uint(beat_bits)),
        AXI=axi,
    )
