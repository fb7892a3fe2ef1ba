"""Bursts of several readers at one pair of AXI4 read channels."""

from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.axi.bursts import burst_stream
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.axi.turns import chosen_stream, turns
from llama2_myhdl.rtl.axi.under_way import under_way
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.axi import BUFFERABLE, DATA, INCR, SLVERR, ReadMaster
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.errors import BAD_WINDOW, BUS_ERROR_BITS, DECODE_ERROR, NONE, SLAVE_ERROR


@hblock
def read_channel(clk, rst, s, m_axi, arrived, data, wrong, error, busy, AXI):
    """s: Series of `burst_stream`, one a reader, each with a place for every beat that it asks for.

    m_axi: `ReadChannels`; the number of a reader is the ID of its bursts. RREADY is high but in reset.
    arrived: out, one bit a reader: `data` is its next beat; registers. wrong: in, from here on nothing may be read.
    error: out, a register, until reset: BAD_WINDOW if `wrong`; SLAVE_ERROR or DECODE_ERROR, the first answer that is
    one: nothing that came later arrives, no burst begins, and those under way are taken and dropped. busy: out, a
    register: bursts are under way. AXI: `spec.axi.ReadMaster`.
    """
    OFFSET = AXI.offset_bits
    ar, r = m_axi.ar, m_axi.r
    picked = chosen_stream(AXI.word_address_bits, clog2(len(s)))
    address = uint(AXI.address_bits)
    room, begins, ends, stop, bad = [bit() for _ in range(5)]

    turns_ = turns(clk, rst, s, picked, room, take=begins)
    under_way_ = under_way(clk, rst, take=begins, give=ends, stop=stop, room=room, busy=busy, LIMIT=AXI.outstanding)
    connect_ = connect(picked, ar, addr=address, size=OFFSET, burst=INCR, cache=BUFFERABLE, prot=DATA)

    @always_comb
    def place():
        address.next = concat(picked.word, intbv(0)[OFFSET:])

    @always_comb
    def look():
        stop.next = error != NONE
        bad.next = r.resp >= SLVERR

    @always(clk.posedge)
    def control():
        if rst:
            r.ready.next = False
            arrived.next = 0
            ends.next = False
        else:
            r.ready.next = True
            arrived.next = 0
            ends.next = r.valid and r.ready and r.last
            if r.valid and r.ready and not bad and not stop:
                arrived.next = 1 << r.id

    @always(clk.posedge)
    def take():
        if r.valid:
            data.next = r.data

    @always(clk.posedge)
    def judge():
        if rst:
            error.next = NONE
        elif error == NONE:
            if wrong:
                error.next = BAD_WINDOW
            elif r.valid and r.ready and bad:
                if r.resp == SLVERR:
                    error.next = SLAVE_ERROR
                else:
                    error.next = DECODE_ERROR

    return turns_, under_way_, connect_, place, look, control, take, judge


def ports(axi: ReadMaster, readers: int) -> dict:
    """Fresh ports and parameters, by name."""
    return dict(
        clk=bit(),
        rst=bit(),
        s=Series(*(burst_stream(axi.word_address_bits) for _ in range(readers))),
        m_axi=ReadChannels(axi, clog2(readers)),
        arrived=uint(readers),
        data=uint(axi.data_bits),
        wrong=bit(),
        error=uint(BUS_ERROR_BITS),
        busy=bit(),
        AXI=axi,
    )
