"""Pairs of a pipeline's heads, until it is their turn."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.memory.ring import ring
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint

LATENCY = 0  # cycles from `push` to m
_FRONT = 16  # places of one memory made of look-up tables


@hblock
def pair_queue(clk, rst, push, pair, m, DEPTH):
    """First in, first out, DEPTH (2 or more) entries, for one that cannot wait: a `push` too many ends a simulation.

    Ports: clk, rst; push; pair: a Payload; m: a Stream of the same, which looks at `push` and never at its own
    ready. A pair a cycle.

        pair ─┬───────────────────────────────────────> m      while nobody waits
              ├────────────────────────> small fifo ────┤      while nobody waits in the RAM
              └─> RAM ─> register ──────────┘
    """
    LAST = DEPTH - 1
    entry, found, held, chosen, oldest, shown = [uint(pair.width) for _ in range(6)]
    write, read = uint(LAST.bit_length()), uint(LAST.bit_length())
    count = uint(DEPTH.bit_length())  # in the RAM
    some, room, direct, stays, keep, fetch, take, give, too_many = [bit() for _ in range(9)]
    fetched, arrives = bit(), bit()  # one, two cycles after `fetch`
    front, waiting = m.clone(), m.clone()
    unused(front.ready)  # the credits see to it that there is room

    packing = pack_payload(pair, entry)
    ring_ = ring(clk=clk, rst=rst, push=keep, pop=fetch, write=write, read=read, count=count, some=some, DEPTH=DEPTH)
    ram_ = ram(clk, we=keep, waddr=write, wdata=entry, load=fetch, raddr=read, rdata=found, DEPTH=DEPTH)
    credit_ = credit(clk, rst, take, give, room, DEPTH=_FRONT)
    unpacking = unpack_payload(chosen, front)
    fifo_ = fifo(clk, rst, front, waiting, DEPTH=_FRONT)
    showing = pack_payload(waiting, oldest), unpack_payload(shown, m)
    check_ = check(clk, rst, too_many, MESSAGE="a pair enters a full queue")

    @always_comb
    def moves():
        direct.next = push and room and not (some or fetched or arrives)
        keep.next = push and (some or fetched or arrives or not room)
        fetch.next = room and some
        give.next = waiting.valid and m.ready
        too_many.next = push and count == DEPTH

    @always_comb
    def into_front():
        take.next = stays or fetch
        front.valid.next = stays or arrives

    @always_comb
    def choose():
        if arrives:
            chosen.next = held
        else:
            chosen.next = entry

    @always_comb
    def show():
        m.valid.next = waiting.valid or direct
        stays.next = direct and (waiting.valid or not m.ready)
        waiting.ready.next = m.ready
        if waiting.valid:
            shown.next = oldest
        else:
            shown.next = entry

    @always(clk.posedge)
    def follow():
        if rst:
            fetched.next = False
            arrives.next = False
        else:
            fetched.next = fetch
            arrives.next = fetched

    @always(clk.posedge)
    def register():
        held.next = found

    return (packing, ring_, ram_, credit_, unpacking, fifo_, showing, check_, moves, into_front, choose, show, follow,
            register)


def ports(m: Stream, DEPTH: int) -> dict:
    """Fresh ports and parameters for entries of the stream `m`, which becomes the output."""
    return dict(clk=bit(), rst=bit(), push=bit(), pair=m.bare(), m=m, DEPTH=DEPTH)
