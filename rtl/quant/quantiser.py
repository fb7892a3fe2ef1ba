"""Block floating point: vectors of F become words of mantissas with one exponent a vector."""
from myhdl import always, always_comb, concat, intbv

from golden.fixed.arith import F_BITS
from rtl.arith.delay import delay
from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack, unpack
from rtl.layer.kinds import VALUE
from rtl.memory import ram as storage
from rtl.memory.ram import ram
from rtl.quant import round_lanes as rounding
from rtl.quant.assemble import assemble
from rtl.quant.exponent import exponent
from rtl.quant.round_lanes import round_lanes
from rtl.stream import fifo as group_fifo
from rtl.stream.elastic import elastic
from rtl.stream.stream import Stream, bit, uint

EXPONENT_BITS = (F_BITS - 1).bit_length()
HALVES = 2
_PIPELINE = storage.LATENCY + rounding.LATENCY
_FIRST_GROUP = 1 + _PIPELINE + group_fifo.LATENCY + 1  # read issued, rounded, through the FIFO, in its word


def latency(WORD, QLANES):
    """Cycles from the last element of a vector to its first word."""
    return _FIRST_GROUP + WORD // QLANES - 1


@hblock
def quantiser(clk, rst, s, m, MAX_LEN, WORD, QLANES, BITS, NARROW=0):
    """golden.fixed.arith.quantise of vectors of 1 .. MAX_LEN elements.

    s: Stream(data=F, tag=uint(KIND_BITS), last=bit()).
    m: Stream(data=uint(WORD * BITS), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit()): WORD mantissas a
    word, element 0 low, zeros behind the last element; x ~ mantissa * 2**exponent; tag: that of the last element.
    QLANES: elements rounded a cycle, 2 or more, divides WORD. NARROW: vectors tagged VALUE are rounded to so many bits,
    in the same lanes (0: none is).

    Two buffers: one element a cycle in, while the vector before leaves with a word every WORD / QLANES cycles.
    `latency` cycles from the last element to the first word. No multiplier.

        s ─┬─> QLANES banks of RAM, two halves ─> round_lanes ─> FIFO ─> assemble ─> m
           └─> OR of magnitudes ─> exponent ───────┘
    """
    if QLANES < 2 or WORD % QLANES:
        raise ValueError(f"quantiser: QLANES must be 2 or more and divide WORD = {WORD}, is {QLANES}")
    F, TAG_BITS = len(s.data), len(s.tag)
    GROUPS = WORD // QLANES
    ROWS = -(-MAX_LEN // WORD) * GROUPS  # of one half of a bank
    ROW_BITS = clog2(ROWS)
    LAST_BANK, LAST_GROUP = QLANES - 1, GROUPS - 1
    ALL_LANES = (1 << QLANES) - 1
    MIN_BITS = NARROW or BITS
    HAS_NARROW = NARROW > 0

    # of the vector in each half: its last row, which lanes of that row it fills, tag and exponent
    last_row = [uint(ROW_BITS) for _ in range(HALVES)]
    tails = [uint(QLANES) for _ in range(HALVES)]
    tags = [uint(TAG_BITS) for _ in range(HALVES)]
    exponents = [uint(EXPONENT_BITS) for _ in range(HALVES)]
    held = uint(HALVES.bit_length())  # whole vectors in the halves
    # writing
    take, complete, stored, first, narrow = [bit() for _ in range(5)]
    half, stored_half = uint(1), uint(1)
    row, bank = uint(ROW_BITS), uint(QLANES)  # bank: one bit set
    magnitudes, data = uint(F - 1), uint(F)
    write_address = uint(ROW_BITS + 1)
    write_bus = uint(QLANES)
    writes = [bit() for _ in range(QLANES)]
    e = uint(EXPONENT_BITS)
    # reading
    offered, room, issue, ends, closes, freed = [bit() for _ in range(6)]
    read_half, half1 = uint(1), uint(1)
    read_row, group = uint(ROW_BITS), uint(clog2(GROUPS))
    read_address = uint(ROW_BITS + 1)
    row_limit, tail = uint(ROW_BITS), uint(QLANES)
    keep, ends1, closes1, narrow1 = uint(QLANES), bit(), bit(), bit()
    e1, tag1 = uint(EXPONENT_BITS), uint(TAG_BITS)
    elements = [uint(F) for _ in range(QLANES)]
    elements_bus = uint(QLANES * F)
    beside, arrived = [uint(EXPONENT_BITS + TAG_BITS + 2) for _ in range(2)]
    groups = Stream(data=uint(QLANES * BITS), exponent=uint(EXPONENT_BITS), tag=uint(TAG_BITS), ends=bit(), last=bit())
    rounded = groups.bare()

    strobes = unpack(write_bus, writes)
    banks = [ram(clk, writes[k], write_address, data, read_address, elements[k], DEPTH=1 << (ROW_BITS + 1))
             for k in range(QLANES)]
    packing = pack(elements, elements_bus)
    common = exponent(magnitudes, narrow, e, BITS=BITS, NARROW=MIN_BITS)
    arithmetic = round_lanes(clk, elements_bus, keep, e1, narrow1, rounded.data, BITS=BITS, NARROW=MIN_BITS)
    labels = delay(clk, beside, arrived, CYCLES=rounding.LATENCY)
    queue = elastic(clk, rst, offered, room, rounded, groups, LATENCY=_PIPELINE)
    words = assemble(clk, rst, groups, m)

    @always_comb
    def accept():
        s.ready.next = held != HALVES
        take.next = s.valid and held != HALVES
        complete.next = s.valid and held != HALVES and s.last
        data.next = s.data[F:]
        write_address.next = concat(half, row)

    @always_comb
    def strobe():
        if take:
            write_bus.next = bank
        else:
            write_bus.next = 0

    @always(clk.posedge)
    def place():
        if rst:
            half.next = 0
            row.next = 0
            bank.next = 1
            first.next = True
            stored.next = False
        else:
            stored.next = complete
            if complete:
                first.next = True
                half.next = not half
                row.next = 0
                bank.next = 1
            elif take:
                first.next = False
                if bank[LAST_BANK]:
                    row.next = row + 1
                    bank.next = 1
                else:
                    bank.next = bank << 1

    @always(clk.posedge)
    def describe():
        magnitude = intbv(0)[F - 1:]
        magnitude[:] = s.data[F - 1:]
        if s.data[F - 1]:
            magnitude[:] = ~magnitude
        if take:
            if first:
                magnitudes.next = magnitude
            else:
                magnitudes.next = magnitudes | magnitude
            narrow.next = HAS_NARROW and s.tag == VALUE
            stored_half.next = half
        if complete:
            last_row[half].next = row
            tails[half].next = bank | (bank - 1)
            tags[half].next = s.tag
        if stored:
            exponents[stored_half].next = e

    @always(clk.posedge)
    def count():
        if rst:
            held.next = 0
        elif complete and not freed:
            held.next = held + 1
        elif freed and not complete:
            held.next = held - 1

    @always_comb
    def look():
        row_limit.next = last_row[read_half]
        tail.next = tails[read_half]
        e1.next = exponents[half1]
        tag1.next = tags[half1]

    @always_comb
    def advance():
        offered.next = held != 0
        issue.next = held != 0 and room
        ends.next = group == LAST_GROUP
        closes.next = group == LAST_GROUP and read_row >= row_limit
        freed.next = held != 0 and room and group == LAST_GROUP and read_row >= row_limit
        read_address.next = concat(read_half, read_row)

    # while no vector is held the banks are read at the row that is being written; nothing uses what they give then
    @always(clk.posedge)
    def read():
        if rst:
            read_half.next = 0
            read_row.next = 0
            group.next = 0
        elif freed:
            read_half.next = not read_half
            read_row.next = 0
            group.next = 0
        elif issue:
            read_row.next = read_row + 1
            if ends:
                group.next = 0
            else:
                group.next = group + 1

    # beside the row that leaves the RAM; the exponent is there just in time for the first one
    @always(clk.posedge)
    def mask():
        half1.next = read_half
        ends1.next = ends
        closes1.next = closes
        if read_row < row_limit:
            keep.next = ALL_LANES
        elif read_row == row_limit:
            keep.next = tail
        else:
            keep.next = 0

    @always_comb
    def label():
        narrow1.next = HAS_NARROW and tag1 == VALUE
        beside.next = concat(tag1, e1, closes1, ends1)

    @always_comb
    def collect():
        rounded.ends.next = arrived[0]
        rounded.last.next = arrived[1]
        rounded.exponent.next = arrived[EXPONENT_BITS + 2:2]
        rounded.tag.next = arrived[len(arrived):EXPONENT_BITS + 2]

    return (strobes, banks, packing, common, arithmetic, labels, queue, words, accept, strobe, place, describe, count,
            look, advance, read, mask, label, collect)
