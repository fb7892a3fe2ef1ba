"""Looks accesses up: whether there is such a register, whether it may be written now, and what is read."""

from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board import inquiry
from llama2_myhdl.rtl.control.plan import (
    BUILD,
    BUILD_FIRST,
    BY_PROMPT_TOKEN,
    CONSTANT,
    LIVE,
    LOCK_BITS,
    LOCK_COUNT,
    SHAPE_FIRST,
    SOURCE_BITS,
    UNLOCKED,
    Plan,
)
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.access import ACCESS_BITS, BAD_VALUE, LOCKED, NO_ACCESS, NO_REGISTER, NO_ROOM
from llama2_myhdl.spec.axi import DECERR, OKAY, RESP_BITS, SLVERR
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.control import (
    ADDRESS_BITS,
    INDEX_BITS,
    WORD_BITS,
)
from llama2_myhdl.spec.counters import COUNTER_BITS
from llama2_myhdl.spec.errors import NONE
from llama2_myhdl.spec.link import LIMITS
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS

LATENCY = inquiry.LATENCY + 2  # cycles that an address stands still ahead of `act`


@hblock
def register_file(
    clk, address, writing, data, whole, act, value, resp, index, write, read, refusal, live, shape_index, shape_value,
    counter, select, station, number, locked, full, PLAN,
):  # fmt: skip
    """address, writing, data, whole, act, value, resp: of `lite_slave`, with LATENCY.

    index: out, number of the register; write, read: out, pulses, it is, and may be; refusal: out, beside `act`, a code
    of `spec/control.py`, or NONE. live: in, the words of `plan.live_words` side by side; shape_index: out, shape_value:
    in, a cycle later; counter: in, what the host has asked for (its number and station); select, station: out, number:
    in, of `inquiry`. locked: in, by the locks of `rtl/control/plan.py`; full: in, there is no room for a prompt token.
    PLAN: `plan` of the build.
    """
    READABLE, WRITABLE, LOCK, OUTSIDE = PLAN.readable, PLAN.writable, PLAN.lock, PLAN.outside
    SOURCE, PLACE, VALUES, PLACES = PLAN.source, PLAN.place, PLAN.constant, PLAN.places
    TOP, SHAPE_TOP, CODE_BITS = INDEX_BITS + 2, len(shape_index) + 2, len(select)
    if SHAPE_FIRST % (1 << len(shape_index)):
        raise ValueError(f"register_file: the shape's registers begin at word {SHAPE_FIRST}")
    known, readable, writable = bit(), bit(), bit()
    lock, source = uint(LOCK_BITS), uint(SOURCE_BITS)
    outside, constant = uint(WORD_BITS), uint(WORD_BITS)
    place = uint(clog2(PLACES))
    code = uint(ACCESS_BITS)

    @always_comb
    def ask():
        index.next = address[TOP:2]
        shape_index.next = address[SHAPE_TOP:2]  # the first of them is a multiple of so many

    @always_comb
    def choose():
        if source == BUILD:
            select.next = LIMITS - BUILD_FIRST + index
        else:
            select.next = counter[CODE_BITS:]
        station.next = counter[:CODE_BITS]

    @always(clk.posedge)
    def accesses():
        known.next = address[:TOP] == 0 and address[2:] == 0
        readable.next = READABLE[index]
        writable.next = WRITABLE[index]
        lock.next = LOCK[index]

    @always(clk.posedge)
    def bits():
        outside.next = OUTSIDE[index]

    @always(clk.posedge)
    def sources():
        source.next = SOURCE[index]
        place.next = PLACE[index]
        constant.next = VALUES[index]

    @always(clk.posedge)
    def judge():
        resp.next = SLVERR
        if not known or not (readable or writable):
            resp.next = DECERR
            code.next = NO_REGISTER
        elif not writing:
            if readable:
                resp.next = OKAY
                code.next = NONE
            else:
                code.next = NO_ACCESS
        elif not writable or not whole:
            code.next = NO_ACCESS
        elif (outside & data) != 0:
            code.next = BAD_VALUE
        elif lock == BY_PROMPT_TOKEN and full:
            code.next = NO_ROOM
        elif lock != UNLOCKED and locked[lock]:
            code.next = LOCKED
        else:
            resp.next = OKAY
            code.next = NONE

    @always(clk.posedge)
    def look_up():
        found = intbv(0)[PLACES * WORD_BITS :]
        found[:] = live
        for k in range(PLACES):
            if place == k:
                found[:] = live >> (k * WORD_BITS)
        if source == LIVE:
            value.next = found[WORD_BITS:]
        elif source == CONSTANT:
            value.next = constant
        elif source == BUILD:
            value.next = number[WORD_BITS:]
        else:
            value.next = shape_value

    @always_comb
    def carry_out():
        write.next = act and writing and code == NONE
        read.next = act and not writing and code == NONE
        refusal.next = code

    return ask, choose, accesses, bits, sources, judge, look_up, carry_out


def ports(table: Plan):
    """Fresh ports and parameters, by name."""
    flags = {name: bit() for name in ("clk", "writing", "whole", "act", "write", "read", "full")}
    words = {name: uint(WORD_BITS) for name in ("data", "value", "shape_value")}
    codes = dict(select=uint(inquiry.CODE_BITS), station=uint(inquiry.CODE_BITS), counter=uint(2 * inquiry.CODE_BITS))
    return dict(
        **flags,
        **words,
        **codes,
        address=uint(ADDRESS_BITS),
        resp=uint(RESP_BITS),
        index=uint(INDEX_BITS),
        refusal=uint(ACCESS_BITS),
        live=uint(table.places * WORD_BITS),
        shape_index=uint(clog2(len(SHAPE_REGISTERS))),
        number=uint(COUNTER_BITS),
        locked=uint(LOCK_COUNT),
        PLAN=table,
    )
