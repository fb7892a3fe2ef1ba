"""Holds a frame back until its checksum has been seen to hold: nothing that is damaged gets any further."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.rtl.board.crc32 import CRC_BITS, crc32
from llama2_myhdl.rtl.board.unstuff import part_stream
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.link import BLOCK_BYTES, CRC_BYTES, CRC_RESIDUE, HEAD_BYTES

BYTES = 2 * BLOCK_BYTES  # a frame comes in while the one before it leaves
FRAMES = 16  # that wait, whole or damaged
LEAST = HEAD_BYTES + CRC_BYTES  # bytes of a frame


def frame_stream() -> Stream:
    """The bytes of whole frames, without their checksum; `last`: a frame's last one. bad: no byte, a damaged frame."""
    return Stream(data=uint(8), last=bit(), bad=bit())


@hblock
def frame_store(clk, rst, s, m, DEPTH=BYTES, WAITING=FRAMES):
    """s: `part_stream`; m: `frame_stream`, the frames in the order in which they came, a byte every other cycle.

        s ─┬─> memory ────────────────┬─> m         the bytes of a frame stay behind `origin` until it ends well
           └─> crc32 ──> ends (fifo) ─┘

    `s.ready` is always high but in reset, as a line cannot wait: a frame that does not fit beside those that wait is a
    damaged one. Only when WAITING frames wait is one dropped without a word. An empty frame is none.
    DEPTH: bytes of the memory, a power of two.
    """
    if DEPTH & (DEPTH - 1):
        raise ValueError(f"frame_store: DEPTH is a power of two, not {DEPTH}")
    ADDRESS = clog2(DEPTH)
    # places, with a bit more than an address, so that full and empty differ: of the next byte, of the frame's first
    # one, of the next byte out
    write, origin, read, behind, finish = [Signal(modbv(0)[ADDRESS + 1 :]) for _ in range(5)]
    waddr, raddr, word = uint(ADDRESS), uint(ADDRESS), uint(8)
    length = uint(LEAST.bit_length())  # bytes of the frame that comes in, LEAST or more
    crc = uint(CRC_BITS)
    full, overrun = bit(), bit()
    take, store, ends, good, restart = [bit() for _ in range(5)]
    entry = Stream(finish=Signal(modbv(0)[ADDRESS + 1 :]), good=bit())
    head = entry.clone()
    giving, free, gone = bit(), bit(), bit()

    crc32_ = crc32(clk, restart, take, s.data, crc)
    ram_ = ram(
        clk,
        we=store,
        waddr=waddr,
        wdata=s.data,
        load=tied(bit(True)),
        raddr=raddr,
        rdata=word,
        DEPTH=DEPTH,
        STYLE="distributed",
    )
    fifo_ = fifo(clk, rst, entry, head, DEPTH=WAITING)

    # --- in ---

    @always_comb
    def place():
        waddr.next = write[ADDRESS:]
        full.next = write[ADDRESS] != read[ADDRESS] and write[ADDRESS:] == read[ADDRESS:]
        finish.next = write - CRC_BYTES

    @always_comb
    def receive():
        take.next = s.valid and s.ready and not s.end
        store.next = s.valid and s.ready and not s.end and not full
        ends.next = s.valid and s.ready and s.end
        restart.next = rst or (s.valid and s.ready and s.end)

    @always_comb
    def judge():
        good.next = crc == CRC_RESIDUE and length == LEAST and not overrun

    @always_comb
    def announce():
        entry.valid.next = ends and length != 0
        entry.finish.next = finish
        entry.good.next = good

    @always(clk.posedge)
    def fill():
        if rst:
            s.ready.next = False
            write.next = 0
            origin.next = 0
            length.next = 0
            overrun.next = False
        else:
            s.ready.next = True
            if ends:
                length.next = 0
                overrun.next = False
                if good and entry.ready:
                    write.next = finish
                    origin.next = finish
                else:
                    write.next = origin
            elif take:
                if length != LEAST:
                    length.next = length + 1
                if full:
                    overrun.next = True
                else:
                    write.next = write + 1

    # --- out ---

    @always_comb
    def look():
        raddr.next = read[ADDRESS:]
        behind.next = read + 1
        free.next = m.ready or not m.valid

    @always_comb
    def drop():
        gone.next = behind == head.finish
        if giving:
            head.ready.next = behind == head.finish
        else:
            head.ready.next = free and not head.good

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            giving.next = False
            read.next = 0
        elif giving:
            m.valid.next = True
            giving.next = False
            read.next = behind
        elif free:
            m.valid.next = head.valid and not head.good
            giving.next = head.valid and head.good

    @always(clk.posedge)
    def give():
        if giving:
            m.data.next = word
            m.last.next = gone
            m.bad.next = False
        elif free:
            m.data.next = 0
            m.last.next = True
            m.bad.next = True

    return crc32_, ram_, fifo_, place, receive, judge, announce, fill, look, drop, control, give


def ports(depth=BYTES, waiting=FRAMES):
    """Fresh ports and parameters, by name."""
    return dict(clk=bit(), rst=bit(), s=part_stream(), m=frame_stream(), DEPTH=depth, WAITING=waiting)
