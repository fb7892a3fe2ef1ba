"""Some of the words of a memory."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.memory.private import private
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2


def latency(spread: bool) -> int:
    """Cycles from `raddr` to `rdata`: the RAM and a register behind it; spread: two before them and one behind, too."""
    return 5 if spread else 2


@hblock
def ram_bank(clk, we, waddr, wdata, raddr, rdata, PLACE, DEPTH, STYLE, SPREAD):
    """DEPTH words of a memory: rdata is the word at raddr, `latency` later, 0 if that is another bank's.

    we, waddr, wdata, raddr, STYLE: as in `ram`, for the whole memory. PLACE: address of the bank's first word, in units
    of DEPTH rounded up to a power of two. SPREAD: registers of its own for what comes from afar, for what the RAM does
    with it, and for rdata, which is combinational otherwise. The RAM stands still while words of other banks are read.
    """
    LOW = clog2(DEPTH)
    ADDRESS = len(raddr)
    wanted, near, asked, chosen = [bit() for _ in range(4)]  # the bank's: the address, at the RAM, in and behind it
    moving, written = bit(), bit()
    reading, writing, enable = uint(ADDRESS), uint(ADDRESS), bit()
    low_read, low_write = uint(LOW), uint(LOW)
    data, found, held = [uint(len(wdata)) for _ in range(3)]

    ram_ = ram(clk, we=written, waddr=low_write, wdata=data, load=moving, raddr=low_read, rdata=found, DEPTH=DEPTH,
               STYLE=STYLE)

    @always_comb
    def decode():
        written.next = enable and writing[:LOW] == PLACE
        wanted.next = reading[:LOW] == PLACE
        low_write.next = writing[LOW:]

    @always(clk.posedge)
    def register():
        asked.next = near
        chosen.next = asked
        held.next = found  # nothing but a register: block RAMs have one of their own

    # the RAM moves a cycle more than it takes: the register in a block RAM may stand still when the RAM does

    if SPREAD:
        write, held_write = uint(ADDRESS + 1), uint(ADDRESS + 1)
        read_private = private(clk, raddr, reading)
        write_private = private(clk, write, held_write)
        parting = unpack(held_write, [writing, enable])

        @always_comb
        def enter():
            write.next = concat(we, waddr)

        @always(clk.posedge)
        def take():
            data.next = wdata
            low_read.next = reading[LOW:]
            near.next = wanted
            moving.next = wanted or near

        @always(clk.posedge)
        def show():
            rdata.next = 0
            if chosen:
                rdata.next = held

        return ram_, decode, register, read_private, write_private, parting, enter, take, show

    @always_comb
    def forward():
        reading.next = raddr
        writing.next = waddr
        enable.next = we
        data.next = wdata
        low_read.next = reading[LOW:]
        near.next = wanted
        moving.next = wanted or asked

    @always_comb
    def choose():
        rdata.next = 0
        if chosen:
            rdata.next = held

    return ram_, decode, register, forward, choose


def ports(address_bits, width, place, depth, style="block", spread=False):
    """Fresh ports and parameters, by name."""
    words = dict(waddr=uint(address_bits), wdata=uint(width), raddr=uint(address_bits), rdata=uint(width))
    return dict(clk=bit(), we=bit(), **words, PLACE=place, DEPTH=depth, STYLE=style, SPREAD=spread)
