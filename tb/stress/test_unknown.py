"""Start-up in Icarus, where every register and memory is X until it is written: reset alone makes it well defined.

No simulator is told an initial value. In Verilator registers and memories start with random values instead: several of
them, one after the other, tell the same.
"""

import re

import cocotb
import pytest
from cocotb.handle import ArrayObject, HierarchyObject, LogicObject, PackedObject
from cocotb.triggers import ClockCycles, RisingEdge, Timer

from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.rtl.layer.probes import shown
from llama2_myhdl.sim import native, session
from llama2_myhdl.sim.build import converted
from llama2_myhdl.sim.clock import start_clock
from llama2_myhdl.sim.jobs import Job
from llama2_myhdl.sim.runner import SIMULATORS, run
from llama2_myhdl.sim.session import TOKEN_FIELDS
from llama2_myhdl.sim.streams import StreamSink, StreamSource, reader
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import prompt_beats
from llama2_myhdl.spec.stops import STOP_BITS
from tb.boot.images import words
from tb.sim.models import random_model
from tb.stress.builds import NANO, SHAPE, fast
from tb.stress.crowd import Crowd
from tb.stress.effort import draws, trials
from tb.stress.jobs import compare, expected, job

pytestmark = pytest.mark.stress

OUTPUTS = ("s_boot_ready", "s_prompt_ready", "m_token_valid", "loaded", "error", "cycles")  # known behind a reset
COUNTER_CYCLES = 3  # from reset to counter_value
INPUTS = ("clear", "counter_station", "counter_select")
BITS = 50_000  # of all registers, wires and memories, more than that
RESET = 1  # cycle: one is enough
SEED = 81  # of the model
JOBS = (
    Job([5, 9], 3),
    Job([7], 2, wishes=dict(sampling=Sampling(1.0, top_k=3, top_p=0.9, seed=4), logprobs=True)),
)
FULL_STARTS, FEW_STARTS = 60, 4
INITIALISED = re.compile(r"\binitial\b|^\s*reg\b[^;]*=", re.MULTILINE)


@pytest.mark.skipif("icarus" not in SIMULATORS, reason="Verilator knows no X")
@pytest.mark.parametrize("testcase", ["known_after_reset", "nothing_is_known_without_a_reset"])
def test_unknown(testcase):
    run(decoder, ports(NANO), __name__, "icarus", testcase=testcase, tests=1, shown=shown())


def test_nothing_is_initialised():
    """In no module of the Verilog; and such a register would be found."""
    modules = converted(decoder, ports(NANO))
    assert len(modules) > 50
    assert {module.name for module in modules if INITIALISED.search(module.file.read_text())} == set()
    assert INITIALISED.search("reg [3:0] count = 0;") and INITIALISED.search("initial begin")


@fast
@pytest.mark.parametrize("reset", [RESET, session.RESET_CYCLES])
def test_random_start(monkeypatch, reset):
    """Registers and memories with other random values: every beat of some sequences, behind a reset alone, of one cycle
    too: in its only edge no check may look at what nothing has set."""
    monkeypatch.setattr(session, "RESET_CYCLES", reset)
    rng, count, compared = draws(f"start {reset}"), trials(FULL_STARTS, FEW_STARTS), 0
    golden, tape = random_model(SEED, NANO, SHAPE)
    for _ in range(count):
        monkeypatch.setattr(native, "SEED", rng.randrange(1, 1 << 31))
        with Crowd(NANO) as crowd:
            assert crowd.boot(tape) == 0
            compared += compare(golden, crowd.tell([job(rng, SHAPE, NANO) for _ in range(2)]))
    assert compared >= 2 * count


def bits(handle):
    """Bits of all registers, wires and memories below a handle, as text, and how many of them are X."""
    found = unknown = 0
    for child in handle:
        if isinstance(child, (HierarchyObject, ArrayObject)):
            below = bits(child)
            found, unknown = found + below[0], unknown + below[1]
        elif isinstance(child, (LogicObject, PackedObject)) and not child.is_const:
            text = str(child.value).upper()
            found, unknown = found + len(text), unknown + text.count("X")
    return found, unknown


def unknowns(dut):
    """Outputs that are not known."""
    return [name for name in OUTPUTS if set(str(getattr(dut, name).value)) - {"0", "1"}]


def connect(dut):
    """Inputs at rest, and the drivers of the streams."""
    for name in INPUTS:
        getattr(dut, name).value = 0
    prompt = prompt_stream(NANO)
    position = dict(token=NANO.token_bits, seq=NANO.seq_bits, pos=NANO.pos_bits, scored=1)
    return (
        StreamSource(dut, "s_boot", data=NANO.beat_bits, last=1),
        StreamSource(dut, "s_prompt", **dict(zip(prompt.payload, map(len, prompt.fields())))),
        StreamSink(dut, "m_token", **position, sampled=1, stop=STOP_BITS, last=1, logprob=-F_BITS),
    )


async def watch(dut, seen):
    """In every cycle outside reset each output must be known."""
    edge, rst, pins = RisingEdge(dut.clk), reader(dut.rst), {name: reader(getattr(dut, name)) for name in OUTPUTS}
    while True:
        await edge
        if rst() == "0":
            wrong = [name for name, read in pins.items() if set(read()) - {"0", "1"}]
            assert not wrong, f"not known: {', '.join(wrong)}"
            seen.append(len(pins))


@cocotb.test(timeout_time=200, timeout_unit="us")
async def known_after_reset(dut):
    """All is X; one cycle of reset; what stands at the outputs is known from then on, and the story is right."""
    dut.rst.value = 1
    boot, prompt, tokens = connect(dut)
    await Timer(1, "ns")
    total, before = bits(dut)
    dut._log.info("%d of %d bits are unknown", before, total)
    assert set(unknowns(dut)) == set(OUTPUTS) and before > 0.9 * total > BITS
    start_clock(dut)
    await ClockCycles(dut.clk, RESET)
    dut.rst.value = 0
    seen = []
    cocotb.start_soon(watch(dut, seen))
    await ClockCycles(dut.clk, COUNTER_CYCLES)
    assert int(dut.counter_value.value) == 0 and int(dut.error.value) == 0 and int(dut.loaded.value) == 0
    _, behind = bits(dut)
    dut._log.info("%d of %d bits are unknown behind the reset", behind, total)
    assert behind > 0.7 * total, "a reset clears control, and no memory"
    golden, tape = random_model(SEED, NANO, SHAPE)
    await boot.send(*words(tape.beats))
    await ClockCycles(dut.clk, 20)
    assert int(dut.loaded.value) == 1
    compared = 0
    for told in JOBS:
        wanted = expected(golden, told)
        prompt.send_nowait(*prompt_beats(told.request))
        await tokens.wait(len(wanted))
        beats = [tokens.queue.popleft() for _ in wanted]
        assert [{name: beat[name] for name in TOKEN_FIELDS} for beat in beats] == wanted
        compared += len(wanted)
    assert compared == 5 and len(seen) > 5000


@cocotb.test(timeout_time=10, timeout_unit="us")
async def nothing_is_known_without_a_reset(dut):
    """The watch can fail: without a reset the outputs stay X."""
    for name in ("rst", "s_boot_valid", "s_prompt_valid", "m_token_ready", *INPUTS):
        getattr(dut, name).value = 0
    start_clock(dut)
    with pytest.raises(AssertionError, match="not known: .*m_token_valid"):
        await watch(dut, [])
