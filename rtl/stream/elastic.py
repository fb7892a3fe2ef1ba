"""Makes a stream block of a fixed-latency pipeline that cannot stall."""
from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.pipeline import pipeline
from llama2_myhdl.rtl.stream.stream import bit, uint

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
    take = bit()
    travelling = uint(LATENCY)
    unused(travelling)
    pipeline_ = pipeline(
        clk, rst, take=take, enter=take, label=None, result=result, m=m, room=s_ready, travelling=travelling,
        LATENCY=LATENCY, DEPTH=DEPTH or LATENCY + TURN,
    )

    @always_comb
    def moves():
        take.next = s_valid and s_ready

    return pipeline_, moves


elastic.words = ("result", "m")


def ports(result, latency, depth=None):
    """Arguments for results like `result`, a Stream."""
    pins = {name: bit() for name in ("clk", "rst", "s_valid", "s_ready")}
    return dict(**pins, result=result.bare(), m=result.clone(), LATENCY=latency, DEPTH=depth)
