"""Quantised words meet their 1/rms: scales add up, only normalised vectors wait."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from rtl.config import EXP2_FRAC, UNIT
from rtl.layer import kinds
from rtl.layer.activation_scale import activation_scale
from rtl.matvec.streams import SCALE_BITS
from rtl.quant.quantiser import EXPONENT_BITS
from rtl.stream.stream import Stream, bit, sint, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSink, StreamSource

WORD_BITS = 32
VECTORS = 60


def ports():
    return dict(
        clk=bit(),
        rst=bit(),
        s=Stream(data=uint(WORD_BITS), exponent=uint(EXPONENT_BITS), tag=uint(kinds.KIND_BITS), last=bit()),
        s_r=Stream(factor=uint(EXP2_FRAC + 1), scale=sint(SCALE_BITS)),
        m=Stream(data=uint(WORD_BITS), factor=uint(EXP2_FRAC + 1), scale=sint(SCALE_BITS), last=bit()),
    )


@pytest.mark.parametrize("sim", SIMULATORS)
def test_activation_scale(sim):
    run(activation_scale, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def joins(dut):
    """Random vectors of all tags; factor and scale are checked on the last word of each."""
    rng = random.Random(5)
    words = StreamSource(dut, "s", data=WORD_BITS, exponent=EXPONENT_BITS, tag=kinds.KIND_BITS, last=1)
    scalars = StreamSource(dut, "s_r", factor=EXP2_FRAC + 1, scale=-SCALE_BITS)
    sink = StreamSink(dut, "m", data=WORD_BITS, factor=EXP2_FRAC + 1, scale=-SCALE_BITS, last=1)
    for port, p in ((words, 0.3), (scalars, 0.9), (sink, 0.4)):
        port.pause(rng, p)
    await start(dut)
    expected = []
    for _ in range(VECTORS):
        tag, exponent = rng.choice((kinds.GAIN, kinds.QUERY, kinds.GATE_UP)), rng.randrange(17)
        factor, scale = UNIT, exponent - EXP2_FRAC
        if tag == kinds.GAIN:
            factor, r_scale = rng.randrange(UNIT // 2, UNIT + 1), rng.randrange(-40, 40)
            scale = r_scale + exponent
            scalars.send_nowait(dict(factor=factor, scale=r_scale))
        count = rng.randrange(1, 5)
        for k in range(count):
            data, last = rng.randrange(1 << WORD_BITS), int(k == count - 1)
            words.send_nowait(dict(data=data, exponent=exponent, tag=tag, last=last))
            expected.append((data, last, factor if last else None, scale if last else None))
    for data, last, factor, scale in expected:
        beat = await sink.recv()
        assert (beat["data"], beat["last"]) == (data, last)
        if last:
            assert (beat["factor"], beat["scale"]) == (factor, scale)
    await ClockCycles(dut.clk, 10)
    assert sink.received == len(expected) and not sink.queue
