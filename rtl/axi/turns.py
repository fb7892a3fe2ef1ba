"""Bursts of several regions take turns at one address channel."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, pack_payload, unpack, unpack_payload
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.axi.bursts import burst_stream
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2


def chosen_stream(word_address_bits: int, id_bits: int) -> Stream:
    """A `burst_stream` with the number of the region, `id`."""
    return Stream(**burst_stream(word_address_bits).types(), id=uint(id_bits))


@hblock
def turns(clk, rst, s, m, room, take):
    """s: Series of `burst_stream`s; m: `chosen_stream`, from registers.

    room: in, another burst may be under way: only then one is taken; take: out, one is in this cycle. Who waits is
    passed over by each of the others once at most; a region that has nothing costs a cycle, and the one taken from is
    looked at again last.
    """
    COUNT = len(s)
    LAST = COUNT - 1
    ID_BITS = clog2(COUNT)
    wants, takes = uint(COUNT), uint(COUNT)
    chosen, word = uint(s[0].width), uint(s[0].width)
    turn = uint(ID_BITS)

    wanting = pack([s[k].valid for k in range(COUNT)], wants)
    taking = unpack(takes, [s[k].ready for k in range(COUNT)])
    unpacking = unpack_payload(word, Stream(word=m.word, len=m.len))

    @always_comb
    def look():
        take.next = wants[turn] and room and (m.ready or not m.valid)

    @always_comb
    def answer():
        takes.next = 0
        if take:
            takes.next = 1 << turn

    @always(clk.posedge)
    def move():
        if rst:
            m.valid.next = False
            turn.next = 0
        else:
            if take:
                m.valid.next = True
            elif m.ready:
                m.valid.next = False
            if take or not wants[turn]:
                if turn == LAST:
                    turn.next = 0
                else:
                    turn.next = turn + 1

    @always(clk.posedge)
    def hold():
        if take:
            word.next = chosen
            m.id.next = turn

    if COUNT == 1:
        packing = pack_payload(s[0], chosen)
        return packing, wanting, taking, unpacking, look, answer, move, hold
    entries = [uint(s[0].width) for _ in range(COUNT)]
    packing = [pack_payload(s[k], entries[k]) for k in range(COUNT)]

    @always_comb
    def choose():
        chosen.next = entries[turn]

    return packing, choose, wanting, taking, unpacking, look, answer, move, hold


def ports(count, word_address_bits):
    """Fresh ports and parameters, by name."""
    s = Series(*(burst_stream(word_address_bits) for _ in range(count)))
    return dict(clk=bit(), rst=bit(), s=s, m=chosen_stream(word_address_bits, clog2(count)), room=bit(), take=bit())
