"""Proofs of the blocks that hold, delay and meter streams."""

from llama2_myhdl.formal.proof import Proof, block_of
from llama2_myhdl.rtl.memory import reader, ring
from llama2_myhdl.rtl.stream import credit, elastic, fifo, pipeline, register, skid, spill
from llama2_myhdl.rtl.stream.stream import Stream, uint

WIDTH = 4
STORE = dict(address_bits=2, word_bits=WIDTH, latency=2)


def _stream():
    return Stream(data=uint(WIDTH))


def _buffer(module, capacity, through=0, registered=1) -> Proof:
    name = module.__name__.rpartition(".")[2]
    given = dict(F_WIDTH=WIDTH, F_CAPACITY=capacity, F_THROUGH=through, F_REGISTERED=registered)
    sets = {name: ("stream_ends", "queue", "buffer", name)}
    return Proof(name, block_of(module, stream=_stream), sets, {name: given}, induction=2)


def _fifo(depth) -> Proof:
    given = dict(F_WIDTH=WIDTH, F_CAPACITY=depth + 1, F_THROUGH=0, F_REGISTERED=1)
    sets = dict(ring=("ring",), fifo=("stream_ends", "queue", "buffer", "fifo", "fifo_alone"))
    return Proof(f"fifo-{depth}", block_of(fifo, stream=_stream, depth=depth), sets, dict(fifo=given), induction=2)


# a pipeline with credits and a FIFO around it; place: where they are, for `F_INSIDE`
def _flight(name, module, arguments, latency, depth, top, place, label=0, width=WIDTH, full=1) -> Proof:
    block = module.__name__.rpartition(".")[2]
    inside = ("flight_inside",) if place else ()
    sets = dict(ring=("ring",), fifo=("fifo",), credit=("credit",))
    if label:
        sets["delay"] = ("delay",)
    sets[block] = (f"{block}_ends", "queue", *top, *inside, "flight", *(("pipeline_labels",) if label else ()))
    given = dict(F_WIDTH=width, F_CAPACITY=depth, F_LATENCY=latency, F_FULL_RATE=full, F_INSIDE=place)
    given |= dict(F_COUNT_BITS=depth.bit_length(), F_LABEL=label)
    return Proof(name, block_of(module, **arguments), sets, {block: given}, induction=3)


def _elastic(latency, depth=None) -> Proof:
    deep = depth or latency + elastic.TURN
    arguments = dict(result=_stream, latency=latency, depth=depth)
    name = f"elastic-{latency}" + (f"-{depth}" if depth else "")
    return _flight(name, elastic, arguments, latency, deep, ("entering_at_once",), "u_pipeline.", full=int(not depth))


PROOFS: list[Proof] = [
    _buffer(register, 1, registered=0),
    _buffer(skid, 2),
    _buffer(spill, 1, through=1),
    *(_fifo(depth) for depth in (1, 3, 4)),
    Proof("ring", block_of(ring, depth=5), dict(ring=("ring",)), induction=1),
    Proof("credit", block_of(credit, depth=5), dict(credit=("credit", "credit_alone")), induction=1),
    _elastic(1),
    _elastic(3),
    _elastic(3, 2),
    _flight("pipeline", pipeline, dict(latency=2, depth=4), 2, 4, ("entering_later",), "", label=6, width=19, full=0),
    _flight("reader", reader, STORE, 2, 4, ("entering_at_once",), "u_elastic.u_pipeline."),
]
