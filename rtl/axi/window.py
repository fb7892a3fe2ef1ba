"""Where a region lies, from its address and its beats; and whether that can be."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.axi.region import per_word, region_ports
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2


@hblock
def window(clk, rst, enable, base, beats, first, rest, tail, known, wrong, AXI, BEAT_BITS):
    """enable: in, the region stands fast until reset; base: address of its first byte; beats: of BEAT_BITS each.

    Out, registers, three cycles behind `enable` at the latest: known: first, rest and tail are what `region` wants
    (first is its `base`); or wrong: the base is no multiple of the bus's bytes, the region goes past the last address,
    or there are no beats. Both low until then. AXI: `spec.axi.ReadMaster`.
    """
    OFFSET, WORDS = AXI.offset_bits, AXI.word_address_bits
    SPLIT = clog2(per_word(AXI, BEAT_BITS))
    ratio = max(1, BEAT_BITS // AXI.data_bits)
    JOIN, ONES = ratio.bit_length() - 1, ratio - 1
    less = uint(max(len(beats), SPLIT))
    asked, measured, misplaced = bit(), bit(), bit()
    last = uint(max(WORDS, len(rest)) + 1)

    @always_comb
    def front():
        first.next = base[:OFFSET]

    @always_comb
    def reach():
        last.next = first + rest

    @always(clk.posedge)
    def follow():
        if rst:
            asked.next = False
            measured.next = False
            known.next = False
            wrong.next = False
        else:
            asked.next = enable
            measured.next = asked
            known.next = measured and not misplaced and last[:WORDS] == 0
            wrong.next = measured and (misplaced or last[:WORDS] != 0)

    @always(clk.posedge)
    def measure():
        less.next = beats - 1
        misplaced.next = base[OFFSET:] != 0 or beats == 0

    if per_word(AXI, BEAT_BITS) > 1:

        @always(clk.posedge)
        def count():
            rest.next = less >> SPLIT
            tail.next = less[SPLIT:]

    else:

        @always(clk.posedge)
        def count():
            rest.next = (less << JOIN) | ONES
            tail.next = 0

    return front, reach, follow, measure, count


def where_ports(axi, most_beats: int) -> dict:
    """Fresh ports that tell a region of so many beats at most, by name."""
    return dict(base=uint(axi.address_bits), beats=uint(most_beats.bit_length()))


def ports(axi, beat_bits, most_beats):
    """Fresh ports and parameters, by name; most_beats: of the longest region."""
    where = region_ports(axi, beat_bits, most_beats)
    where["first"] = where.pop("base")
    pins = {name: bit() for name in ("clk", "rst", "enable", "known", "wrong")}
    return dict(**pins, **where_ports(axi, most_beats), **where, AXI=axi, BEAT_BITS=beat_bits)
