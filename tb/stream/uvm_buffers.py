"""The blocks that hold stream entries, each in a shape that its own test has, and their test class."""

from llama2_myhdl.rtl.stream import fifo, register, skid, spill
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim.runner import run, test_parameters
from tb.stream.buffer_cocotb import beats
from tb.stream.test_elastic import delay_stream
from tb.stream.test_pipeline import labelled
from tb.stream.uvm_env import Buffer, BufferEnv
from tb.stream.uvm_sequences import BufferWork
from tb.uvm.block_test import BlockTest


def _elastic(latency, depth):
    pins = {name: Stream(data=uint(8)) for name in ("s", "m")}
    return dict(clk=bit(), rst=bit(), **pins, DELAY=latency, DEPTH=depth)


def _pipeline(latency, depth):
    pins = {name: Stream(data=uint(8), tag=uint(5), last=bit()) for name in ("s", "m")}
    return dict(clk=bit(), rst=bit(), **pins, there=uint(latency), DELAY=latency, DEPTH=depth)


BUFFERS = {
    "register": Buffer(register.register, lambda: register.ports(beats()), 1, follows=True),
    "skid": Buffer(skid.skid, lambda: skid.ports(beats()), 2),
    "spill": Buffer(spill.spill, lambda: spill.ports(beats()), 1, through=True),
    **{f"fifo-{depth}": Buffer(fifo.fifo, lambda depth=depth: fifo.ports(beats(), depth), depth + 1)
       for depth in (1, 3)},
    # these two hold what they have credits for; with three the first one cannot keep up
    "elastic": Buffer(delay_stream, lambda: _elastic(9, 3), 3),
    "pipeline": Buffer(labelled, lambda: _pipeline(6, 9), 9),
}


def check(name, test_module, sim, tests):
    buffer = BUFFERS[name]
    run(buffer.block, buffer.arguments(), test_module, sim, parameters=dict(buffer=name), tests=tests)


class BufferTest(BlockTest):
    ENV, SEQUENCE = BufferEnv, BufferWork

    def settings(self):
        return super().settings() | dict(BUFFER=BUFFERS[test_parameters()["buffer"]])
