"""Puts the checksum behind a frame."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board.crc32 import CRC_BITS, crc32
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.link import CRC_BYTES


@hblock
def seal(clk, rst, s, m):
    """s, m: Stream(data = a byte, last); in m the CRC-32 of a frame's bytes follows them, and `last` is behind it.

    Latency 0, a byte a cycle.
    """
    LAST = CRC_BYTES - 1
    sealing, take, restart = bit(), bit(), bit()
    index = uint(clog2(CRC_BYTES))
    crc, left = uint(CRC_BITS), uint(CRC_BITS)
    crc32_ = crc32(clk, restart, take, s.data, crc)

    @always_comb
    def handshake():
        s.ready.next = m.ready and not sealing
        take.next = s.valid and m.ready and not sealing
        restart.next = rst or (sealing and m.ready and index == LAST)
        m.valid.next = sealing or s.valid

    @always_comb
    def rest():
        if index == 0:
            left.next = crc
        elif index == 1:
            left.next = crc >> 8
        elif index == 2:
            left.next = crc >> 16
        else:
            left.next = crc >> 24

    @always_comb
    def choose():
        m.last.next = sealing and index == LAST
        if sealing:
            m.data.next = left[8:] ^ 0xFF
        else:
            m.data.next = s.data

    @always(clk.posedge)
    def control():
        if rst:
            sealing.next = False
            index.next = 0
        elif sealing:
            if m.ready:
                if index == LAST:
                    sealing.next = False
                    index.next = 0
                else:
                    index.next = index + 1
        else:
            sealing.next = take and s.last

    return crc32_, handshake, rest, choose, control


def ports():
    """Fresh ports, by name."""
    beat = Stream(data=uint(8), last=bit())
    return dict(clk=bit(), rst=bit(), s=beat, m=beat.clone())
