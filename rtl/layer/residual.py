"""The residual vector x of the packet in the engine: loaded once, then added to."""

from myhdl import always, always_comb, concat

from rtl.arith import saturate as clipping
from rtl.arith.delay import delay
from rtl.arith.saturate import saturate
from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.memory import ram as storage
from rtl.memory.ram import ram
from rtl.stream.elastic import elastic
from rtl.stream.stream import bit, sint, uint

PIPELINE = storage.LATENCY + 2 + clipping.LATENCY  # RAM, its register, the sum, the clip
LATENCY = PIPELINE + 1  # cycles from an element to its sum on m


@hblock
def residual(clk, rst, s_x, s_add, m, saturated, CFG):
    """Keeps x in a RAM of max_dim F words.

    s_x: Stream(data=F, last): a new x; s_add: Stream(data=F, last): rows to add element by element, saturating to F;
    m: Stream(data=F, last): every element as stored, from either source. saturated: out, an element was clipped.
    A vector is taken whole; between vectors there are PIPELINE idle cycles, so that no element is read before it is
    written. One element a cycle, LATENCY cycles.
    """
    ADDRESS_BITS = clog2(CFG.max_dim)
    adding, held = bit(), bit()  # the source of the vector under way; one is under way
    take, ready, offered, last = bit(), bit(), bit(), bit()
    index, written_at = uint(ADDRESS_BITS), uint(ADDRESS_BITS)
    gap = uint(clog2(PIPELINE + 1))
    data = sint(CFG.f_bits)
    arriving, arrived = uint(CFG.f_bits), uint(CFG.f_bits)
    beside, at_end = uint(ADDRESS_BITS + 1), uint(ADDRESS_BITS + 1)  # last, address
    travelling = uint(PIPELINE)  # bit k: an element was taken k + 1 cycles ago
    stored, store = uint(CFG.f_bits), uint(CFG.f_bits)
    old = sint(CFG.f_bits)
    addend, addend_at_sum = uint(1), uint(1)
    total = sint(CFG.f_bits + 1)
    clipped, writes = bit(), bit()
    result = m.bare()

    memory = ram(clk, writes, written_at, store, index, stored, DEPTH=CFG.max_dim)
    values = delay(clk, arriving, arrived, CYCLES=storage.LATENCY + 1)
    modes = delay(clk, addend, addend_at_sum, CYCLES=storage.LATENCY + 1)
    labels = delay(clk, beside, at_end, CYCLES=PIPELINE)
    clip = saturate(clk, total, result.data, clipped)
    handshake = elastic(clk, rst, offered, ready, result, m, LATENCY=PIPELINE)

    @always_comb
    def select():
        if adding:
            data.next = s_add.data
            last.next = s_add.last
            offered.next = s_add.valid and held
        else:
            data.next = s_x.data
            last.next = s_x.last
            offered.next = s_x.valid and held
        s_add.ready.next = ready and held and adding
        s_x.ready.next = ready and held and not adding

    @always_comb
    def enter():
        take.next = offered and ready
        arriving.next = data[len(arriving) :]
        addend.next = adding
        beside.next = concat(index, last)

    @always_comb
    def leave():
        writes.next = travelling[PIPELINE - 1]
        result.last.next = at_end[0]
        written_at.next = at_end[len(at_end) : 1]
        store.next = result.data[len(store) :]
        saturated.next = clipped and travelling[PIPELINE - 1]

    @always(clk.posedge)
    def add():
        old.next = stored.signed()
        if addend_at_sum:
            total.next = old + arrived.signed()
        else:
            total.next = arrived.signed()

    @always(clk.posedge)
    def control():
        if rst:
            held.next = False
            gap.next = 0
            index.next = 0
            travelling.next = 0
        else:
            travelling.next = concat(travelling[PIPELINE - 1 :], take)
            if held:
                if take:
                    index.next = index + 1
                    if last:
                        index.next = 0
                        held.next = False
                        gap.next = PIPELINE
            elif gap != 0:
                gap.next = gap - 1
            else:
                held.next = s_x.valid or s_add.valid
                adding.next = not s_x.valid

    return memory, values, modes, labels, clip, handshake, select, enter, leave, add, control
