"""Makes a stream block of a fixed-latency pipeline that cannot stall."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack_payload, unpack_payload
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint

# with so many results more than the pipeline holds, credits come back in time for one transfer a cycle
TURN = output_fifo.LATENCY + 1


@hblock
def elastic(clk, rst, s_valid, s_ready, result, m, LATENCY=1, DEPTH=None):
    """Handshake around a pipeline of LATENCY cycles that stands beside it in the parent.

        s payload ──> pipeline ──> result ──> fifo ──> m
        s valid, ready ──> credits, and a valid that travels beside the pipeline

    s_valid in, s_ready out: the handshake of the stream that feeds the pipeline. result: in, a Payload (`m.bare()`)
    that the pipeline drives LATENCY cycles after its input (at least 1). m: the Stream of results.
    The pipeline runs every cycle; what it computes without a transfer at its input is dropped.
    DEPTH: results in flight and waiting; by default just enough for one transfer a cycle.
    Latency LATENCY + 1; `s_ready` is a register.
    """
    if LATENCY < 1:
        raise ValueError(f"elastic: LATENCY must be 1 or more, not {LATENCY}")
    depth = DEPTH or LATENCY + TURN
    take = bit()
    give = bit()
    travelling = uint(LATENCY + 1)  # bit k: a transfer k + 1 cycles ago
    queue = Stream(**result.types())
    unused(queue.ready)  # the credits see to it that there is room
    bus = uint(result.width)
    credits = credit(clk, rst, take, give, s_ready, DEPTH=depth)
    packing = pack_payload(result, bus)
    unpacking = unpack_payload(bus, queue)
    results = fifo(clk, rst, queue, m, DEPTH=depth)

    @always_comb
    def moves():
        take.next = s_valid and s_ready
        give.next = m.valid and m.ready
        queue.valid.next = travelling[LATENCY - 1]

    @always(clk.posedge)
    def travel():
        if rst:
            travelling.next = 0
        else:
            travelling.next = concat(travelling[LATENCY:], take)

    return credits, packing, unpacking, results, moves, travel


elastic.words = ("result", "m")
