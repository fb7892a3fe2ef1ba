"""Vectors of three sources reach the quantiser whole, tagged, none lost."""

import random

import cocotb
import pytest

from rtl.config import preset
from rtl.layer import kinds
from rtl.layer.packet import vector
from rtl.layer.vector_merge import vector_merge
from rtl.stream.stream import Stream, bit, sint, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSink, StreamSource

BUILD = preset("nano").build
TAGS = {"s_norm": kinds.GAIN, "s_attention": kinds.QUERY, "s_ffn": kinds.GATE_UP}
VECTORS = 40


def ports():
    merged = Stream(data=sint(BUILD.f_bits), tag=uint(kinds.KIND_BITS), last=bit())
    return dict(clk=bit(), rst=bit(), s_norm=vector(BUILD), s_attention=merged.clone(), s_ffn=vector(BUILD), m=merged)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_vector_merge(sim):
    run(vector_merge, ports(), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def whole_vectors(dut):
    """All sources at once, random lengths and pauses: per source the order is kept, and no vector is torn."""
    rng = random.Random(9)
    sources = {name: StreamSource(dut, name, data=-BUILD.f_bits, last=1) for name in ("s_norm", "s_ffn")}
    sources["s_attention"] = StreamSource(dut, "s_attention", data=-BUILD.f_bits, tag=kinds.KIND_BITS, last=1)
    sink = StreamSink(dut, "m", data=-BUILD.f_bits, tag=kinds.KIND_BITS, last=1)
    sink.pause(rng, 0.3)
    await start(dut)
    sent = {tag: [] for tag in TAGS.values()}
    for name, source in sources.items():
        source.pause(rng, 0.4)
        for _ in range(VECTORS):
            values = [rng.randrange(-(1 << 31), 1 << 31) for _ in range(rng.randrange(1, 9))]
            sent[TAGS[name]].append(values)
            beats = [dict(data=v, last=int(k == len(values) - 1)) for k, v in enumerate(values)]
            own = dict(tag=TAGS[name]) if "tag" in source.fields else {}
            source.send_nowait(*[beat | own for beat in beats])
    got, current, tag = {tag: [] for tag in sent}, [], None
    for _ in range(sum(len(v) for values in sent.values() for v in values)):
        beat = await sink.recv()
        assert tag in (None, beat["tag"]), "a vector was torn"
        tag = beat["tag"]
        current.append(beat["data"])
        if beat["last"]:
            got[tag].append(current)
            current, tag = [], None
    assert got == sent
    assert sum(map(len, got.values())) == len(TAGS) * VECTORS
