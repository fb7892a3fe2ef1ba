"""Block floating point: vectors of F become words of mantissas with one exponent a vector."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.quant import round_lanes as rounding
from llama2_myhdl.rtl.quant.bank import bank
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS, HALVES, exponent
from llama2_myhdl.rtl.quant.round_lanes import round_lanes
from llama2_myhdl.rtl.stream.spill import spill
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.kinds import KIND_BITS


def element_stream() -> Stream:
    """What a quantiser takes: an element, or with `both` two of them; tag: a kind, that of a vector's last counts."""
    return Stream(data=sint(F_BITS), second=sint(F_BITS), both=bit(), tag=uint(KIND_BITS), last=bit())


def word_stream(WORD: int, BITS: int) -> Stream:
    """What a quantiser makes: words of WORD mantissas of BITS bits, with the exponent and the tag of their vector."""
    return Stream(data=uint(WORD * BITS), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit())


def latency(WORD, QLANES):
    """Cycles from the last element of a vector to its first word."""
    return 2 + rounding.LATENCY + WORD // QLANES - 1


@hblock
def quantiser(clk, rst, s, m, MAX_LEN, WORD, QLANES, BITS):
    """golden.fixed.arith.quantise of vectors of 1 .. MAX_LEN elements.

    s: Stream(data=F, second=F, both=bit(), tag=uint(KIND_BITS), last=bit()): an element, or with `both` two of them in
    order; a vector comes in pairs throughout or not at all.
    m: Stream(data=uint(WORD * BITS), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit()): WORD mantissas a
    word, element 0 low, zeros behind the last element; x ~ mantissa * 2**exponent; tag: that of the last element.
    QLANES: elements rounded a cycle, even, divides WORD.

    Two buffers: a transfer a cycle in, while the vector before leaves with a word every WORD / QLANES cycles.
    `latency` cycles from the last element to the first word. No multiplier.

        s ─┬─> QLANES banks of RAM, two halves ─> round_lanes ─> word of the last groups ─> spill ─> m
           └─> exponent ─────────────────────────────┘

    All that follows the banks stands still while a word waits for m.
    """
    if QLANES < 2 or QLANES % 2 or WORD % QLANES:
        raise ValueError(f"quantiser: QLANES must be even and divide WORD = {WORD}, is {QLANES}")
    F, TAG_BITS = len(s.data), len(s.tag)
    GROUPS = WORD // QLANES
    GROUP_BITS = QLANES * BITS
    ROWS = -(-MAX_LEN // WORD) * GROUPS  # of one half of a bank
    ROW_BITS = clog2(ROWS)
    LAST_BANK, LAST_GROUP = QLANES - 1, GROUPS - 1
    LAST_PAIR = QLANES - 2
    ALL_LANES = (1 << QLANES) - 1
    OLDER_BITS = max(1, GROUPS - 1) * GROUP_BITS

    # of the vector in each half: the rows behind the one to be read next, which lanes of the last it fills, its tag
    rows_left = [uint(ROW_BITS) for _ in range(HALVES)]
    tails = [uint(QLANES) for _ in range(HALVES)]
    tags = [uint(TAG_BITS) for _ in range(HALVES)]
    # a bit a half: it has a whole vector; no rows are left; nor is the one to be read next of the vector
    full, at_end, beyond = uint(HALVES), uint(HALVES), uint(HALVES)
    # writing
    take, complete, row_done, first = [bit() for _ in range(4)]
    half = uint(1)
    row, place, below = uint(ROW_BITS), uint(QLANES), uint(QLANES)  # place: one bit set; below: all bits under it
    data, second = uint(F), uint(F)
    chosen, write_bus = uint(QLANES), uint(QLANES)
    writes = [bit() for _ in range(QLANES)]
    # the row to be read next
    read_half, group = uint(1), uint(clog2(GROUPS))
    there, load, ends, closes, freed = [bit() for _ in range(5)]
    e = uint(EXPONENT_BITS)
    # at the banks' outputs
    there1, ends1, closes1, move = [bit() for _ in range(4)]
    keep, e1, tag1 = uint(QLANES), uint(EXPONENT_BITS), uint(TAG_BITS)
    elements = [uint(F) for _ in range(QLANES)]
    elements_bus = uint(QLANES * F)
    # behind the coarse shift
    there2, ends2, closes2 = [bit() for _ in range(3)]
    e2, tag2 = uint(EXPONENT_BITS), uint(TAG_BITS)
    # a word: the last group and those before it
    mantissas, older = uint(GROUP_BITS), uint(OLDER_BITS)
    word = m.clone()

    strobes = unpack(write_bus, writes)
    banks = [bank(clk=clk, rst=rst, write=writes[k], written=row_done, filled=complete, data=second if k % 2 else data,
                  read=load, emptied=freed, element=elements[k], ROWS=ROWS) for k in range(QLANES)]
    packing = pack(elements, elements_bus)
    exponent_ = exponent(clk=clk, take=take, first=first, half=half, data=s.data, second=s.second, both=s.both,
                         of=read_half, e=e, BITS=BITS)
    round_lanes_ = round_lanes(clk, move, there1, elements_bus, keep, e1, mantissas, BITS=BITS)
    spill_ = spill(clk, rst, word, m)

    @always_comb
    def accept():
        s.ready.next = not full[half]
        take.next = s.valid and not full[half]
        complete.next = s.valid and s.last and not full[half]
        row_done.next = s.valid and not full[half] and (place[LAST_BANK] or (s.both and place[LAST_PAIR]))

    # a pair meets an even bank and the odd one above it
    @always_comb
    def spread():
        data.next = s.data[F:]
        if s.both:
            second.next = s.second[F:]
            chosen.next = place | (place << 1)
        else:
            second.next = s.data[F:]
            chosen.next = place

    # whether something is taken comes late, so it has no say in what is written: a place is written until it is
    @always_comb
    def strobe():
        above = intbv(0)[QLANES + 1:]
        above[:] = place << 1
        write_bus.next = 0
        if not full[half]:
            write_bus.next = place | above[QLANES:]

    @always(clk.posedge)
    def advance():
        if rst:
            half.next = 0
            row.next = 0
            place.next = 1
            below.next = 0
            first.next = True
        elif complete:
            half.next = not half
            row.next = 0
            place.next = 1
            below.next = 0
            first.next = True
        elif take:
            first.next = False
            if row_done:
                row.next = row + 1
                place.next = 1
                below.next = 0
            else:
                below.next = below | chosen
                if s.both:
                    place.next = place << 2
                else:
                    place.next = place << 1

    @always(clk.posedge)
    def describe():
        if complete:
            tails[half].next = below | chosen
            tags[half].next = s.tag

    @always(clk.posedge)
    def count():
        bits = intbv(0)[HALVES:]
        bits[:] = full
        if rst:
            bits[:] = 0
        else:
            if complete:
                bits[half] = True
            if freed:
                bits[read_half] = False
        full.next = bits

    # counted down, so that a bit tells a vector's end: `freed` leads to every bank
    @always(clk.posedge)
    def count_rows():
        ending = intbv(0)[HALVES:]
        ended = intbv(0)[HALVES:]
        ending[:] = at_end
        ended[:] = beyond
        if complete:
            rows_left[half].next = row
            ending[half] = row == 0
            ended[half] = False
        if load:
            if at_end[read_half]:
                ended[read_half] = True
            else:
                rows_left[read_half].next = rows_left[read_half] - 1
                ending[read_half] = rows_left[read_half] == 1
        at_end.next = ending
        beyond.next = ended

    @always_comb
    def judge():
        there.next = full[read_half]
        ends.next = group == LAST_GROUP
        closes.next = group == LAST_GROUP and at_end[read_half]

    @always_comb
    def moves():
        move.next = word.ready
        load.next = full[read_half] and word.ready
        freed.next = closes and full[read_half] and word.ready

    @always(clk.posedge)
    def step():
        if rst:
            read_half.next = 0
            group.next = 0
        elif freed:
            read_half.next = not read_half
            group.next = 0
        elif load:
            if ends:
                group.next = 0
            else:
                group.next = group + 1

    @always(clk.posedge)
    def describe_row():
        if move:
            e1.next = e
            tag1.next = tags[read_half]
            ends1.next = ends
            closes1.next = closes
            if beyond[read_half]:
                keep.next = 0
            elif at_end[read_half]:
                keep.next = tails[read_half]
            else:
                keep.next = ALL_LANES

    # the rows of a word follow each other without a gap, so that a stage that moves takes the next one
    @always(clk.posedge)
    def travel():
        if rst:
            there1.next = False
            there2.next = False
            word.valid.next = False
        elif move:
            there1.next = there
            there2.next = there1
            word.valid.next = there2 and ends2

    @always(clk.posedge)
    def label():
        if move:
            e2.next = e1
            tag2.next = tag1
            ends2.next = ends1
            closes2.next = closes1
            word.exponent.next = e2
            word.tag.next = tag2
            word.last.next = closes2

    @always(clk.posedge)
    def delay_groups():
        if move:
            older.next = word.data[WORD * BITS:GROUP_BITS]

    @always_comb
    def join():
        word.data.next = concat(mantissas, older)

    @always_comb
    def straight():
        word.data.next = mantissas

    return (strobes, banks, packing, exponent_, round_lanes_, accept, spread, strobe, advance, describe, count,
            count_rows, judge, moves, step, describe_row, travel, label, spill_,
            (delay_groups, join) if GROUPS > 1 else straight)


def ports(MAX_LEN: int, WORD: int, QLANES: int, BITS: int) -> dict:
    """Fresh ports and parameters."""
    streams = dict(s=element_stream(), m=word_stream(WORD, BITS))
    return dict(clk=bit(), rst=bit(), **streams, MAX_LEN=MAX_LEN, WORD=WORD, QLANES=QLANES, BITS=BITS)
