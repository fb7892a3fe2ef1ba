"""SwiGLU: pairs of the interleaved W1 and W3 rows become elements of the hidden vector."""
from myhdl import Signal, always, always_comb, concat, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.rtl.ffn import gate as product
from llama2_myhdl.rtl.ffn import sigmoid as logistic
from llama2_myhdl.rtl.ffn.gate import gate
from llama2_myhdl.rtl.ffn.sigmoid import sigmoid
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.pipeline import pipeline
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import EXP2_FRAC

PIPELINE = logistic.LATENCY + 1 + product.LATENCY  # cycles from a complete pair to its result
LATENCY = 2 + PIPELINE + output_fifo.LATENCY  # cycles from the first element of a pair to its result
F_FRAC = 20


@hblock
def swiglu(clk, rst, s, m, saturated, BLOCK):
    """z = h1 * sigma(h1) * h3 for each pair, as golden.fixed.swiglu.swiglu.

    s: Stream(data=F, last=bit()): h1[0], h3[0], h1[1], h3[1], ...; `last` counts on h3 only.
    m: Stream(data=F, last=bit()): one element a pair; last with the `last` of its h3, and at the end of every BLOCK
    elements, counted from the vector's first.
    saturated: out, an element of m was clipped (one pulse an element).

    One element of s a cycle, so a result every two cycles; LATENCY cycles when nothing waits. Six multipliers: three in
    sigmoid, three in gate.

        s ─> pair up ─┬─> sigmoid(h1) ────────────────> gate (two cycles a pair) ─> fifo ─> m    credits: a place in
                      └─> memory of the pairs on the way ─┘ h1, h3                               the fifo a pair
    """
    F = len(s.data)
    SIGMOID = logistic.LATENCY
    LAST = PIPELINE - 1
    SLOTS = 1 << clog2(SIGMOID // 2 + 1)  # pairs inside sigmoid: one starts every two cycles at most
    LAST_OF_BLOCK = BLOCK - 1
    CREDITS = LATENCY // 2 + 3  # with fewer, one element a cycle would not be sustained

    if BLOCK < 1:
        raise ValueError(f"swiglu: BLOCK must be 1 or more, is {BLOCK}")

    take, room, odd, start, second, clipped = [bit() for _ in range(6)]
    first, h1, h3, old_h1, old_h3 = [sint(F) for _ in range(5)]
    write_slot, read_slot = [Signal(modbv(0)[clog2(SLOTS):]) for _ in range(2)]  # wrap
    pair, entry = uint(2 * F), uint(2 * F)
    sigma = uint(EXP2_FRAC + 1)
    travelling = uint(PIPELINE)  # bit k: a pair started k + 1 cycles ago
    place = uint(clog2(BLOCK))  # of the pair in its block
    label, result = Payload(last=bit()), Payload(data=sint(F))

    sigmoid_ = sigmoid(clk, h1, sigma)
    ram_ = ram(
        clk,
        we=start,
        waddr=write_slot,
        wdata=pair,
        load=tied(bit(True)),
        raddr=read_slot,
        rdata=entry,
        DEPTH=SLOTS,
    )
    gate_ = gate(
        clk, h1=old_h1, h3=old_h3, sigma=sigma, second=second, z=result.data, clipped=clipped, F_FRAC=F_FRAC
    )
    pipeline_ = pipeline(
        clk,
        rst,
        take=take,
        enter=start,
        label=label,
        result=result,
        m=m,
        room=room,
        travelling=travelling,
        LATENCY=PIPELINE,
        DEPTH=CREDITS,
    )

    @always_comb
    def handshake():
        s.ready.next = room
        take.next = s.valid and room and odd

    @always(clk.posedge)
    def control():
        if rst:
            odd.next = False
            start.next = False
            write_slot.next = 0
            read_slot.next = 0
            place.next = 0
        else:
            start.next = take
            if s.valid and room:
                odd.next = not odd
            if take:
                if s.last or place == LAST_OF_BLOCK:
                    place.next = 0
                else:
                    place.next = place + 1
            if start:
                write_slot.next = write_slot + 1
            # two cycles to read, one more in which the pair is held
            if travelling[SIGMOID - 2]:
                read_slot.next = read_slot + 1

    @always(clk.posedge)
    def pair_up():
        if s.valid and room:
            if odd:
                h1.next = first
                h3.next = s.data
                label.last.next = s.last or place == LAST_OF_BLOCK
            else:
                first.next = s.data
        old_h1.next = entry[F:].signed()
        old_h3.next = entry[2 * F:F].signed()

    @always_comb
    def store():
        pair.next = concat(h3[F:], h1[F:])
        second.next = travelling[SIGMOID]

    @always_comb
    def report():
        saturated.next = clipped and travelling[LAST]

    return sigmoid_, ram_, gate_, pipeline_, handshake, control, pair_up, store, report


def ports(f_bits: int, block: int) -> dict:
    """Fresh ports and parameters, by name."""
    streams = {name: Stream(data=sint(f_bits), last=bit()) for name in ("s", "m")}
    return dict(clk=bit(), rst=bit(), **streams, saturated=bit(), BLOCK=block)
