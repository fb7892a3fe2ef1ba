"""A small stream FIFO with registered outputs on both sides."""
from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.memory.ring import ring
from llama2_myhdl.rtl.stream.stream import bit, uint

LATENCY = 1  # cycles from a transfer into an empty FIFO to `m.valid`


@hblock
def fifo(clk, rst, s, m, DEPTH=4):
    """First in, first out: DEPTH entries in a memory and one in the output register.

    s, m: Streams of the same payload. DEPTH: 1 or more, any number.
    `s.ready`, `m.valid` and m's payload come from registers; `s.ready` is low during reset and rises a cycle after it.
    m's payload stands still until there is another one.
    An entry passes an empty memory and goes straight to the output register if that is free: latency LATENCY.
    One transfer a cycle.
    """
    if DEPTH < 1:
        raise ValueError(f"fifo: DEPTH must be 1 or more, not {DEPTH}")
    last = DEPTH - 1
    entry = uint(s.width)
    head = uint(s.width)
    memory = [uint(s.width) for _ in range(DEPTH)]
    write = uint(max(1, last.bit_length()))
    read = uint(max(1, last.bit_length()))
    count = uint(DEPTH.bit_length())
    some = bit()  # the memory holds an entry
    push = bit()
    pop = bit()
    advance = bit()
    packing = pack_payload(s, entry)
    unpacking = unpack_payload(head, m)
    ring_ = ring(clk, rst, push, pop, write, read, count, some, DEPTH=DEPTH)

    @always_comb
    def moves():
        advance.next = m.ready or not m.valid
        push.next = s.valid and s.ready and (some or (m.valid and not m.ready))
        pop.next = some and (m.ready or not m.valid)

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
            s.ready.next = False
        else:
            if advance:
                m.valid.next = some or (s.valid and s.ready)
            if push and not pop:
                s.ready.next = count != last
            elif pop and not push:
                s.ready.next = True
            else:
                s.ready.next = count != DEPTH

    @always(clk.posedge)
    def store():
        if push:
            memory[write].next = entry

    @always(clk.posedge)
    def fetch():
        if advance and (some or s.valid):
            if some:
                head.next = memory[read]
            else:
                head.next = entry

    return packing, unpacking, ring_, moves, control, store, fetch


fifo.words = ("s", "m")


def ports(stream, depth):
    """Arguments for beats like those of `stream`, by name."""
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone(), DEPTH=depth)
