"""A compiled block in this process: pins of every width, sources, recorders, checks that fire, several at once."""

import pytest

from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.sim.build import build
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.remote import RemoteSimulator
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError, packed
from tb.hdl.checked import MESSAGE, never_both
from tb.hdl.checked import ports as check_ports

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

BITS = dict(a=1, b=8, c=33, d=64, e=65, f=130)  # within a word and over its borders
EXTREMES = {name: sorted({0, 1, 1 << bits - 1, (1 << bits) - 1}) for name, bits in BITS.items()}
DEPTH = 2


def ports(**bits):
    stream = Stream(**{name: bit() if width == 1 else uint(width) for name, width in bits.items()})
    return dict(clk=bit(), rst=bit(), s=stream, m=stream.clone())


def library(block, **arguments):
    built = build(block, arguments, "verilator", library=True)
    return NativeSimulator(built.file, built.top)


def wide():
    return library(fifo, **ports(**BITS), DEPTH=DEPTH)


def reset(sim):
    """In and out of reset, and to where the block is ready."""
    sim.set(rst=1, m_ready=1)
    sim.run(3)
    sim.set(rst=0)
    sim.run(2)


@pytest.fixture
def sim():
    with wide() as simulator:
        reset(simulator)
        yield simulator


def payload(k):
    """A payload with something in every field, and in the high bits of the wide ones."""
    return {name: (k + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC8341 % (1 << bits) for name, bits in BITS.items()}


def values(bits, row):
    """The fields of a recorder's row as numbers."""
    found, words = {}, row.tolist()[1:]
    for name, width in bits.items():
        count = (width + 63) // 64
        found[name] = sum(word << 64 * k for k, word in enumerate(words[:count]))
        words = words[count:]
    assert not words
    return found


@pytest.mark.parametrize("name", BITS)
def test_a_pin_keeps_what_was_set(sim, name):
    """Every extreme, and the neighbours hold still."""
    neighbours = {f"s_{other}": sim.get(f"s_{other}") for other in BITS if other != name}
    for value in EXTREMES[name]:
        sim.set(**{f"s_{name}": value})
        assert sim.get(f"s_{name}") == value
    assert {pin: sim.get(pin) for pin in neighbours} == neighbours


def test_a_value_too_large_for_its_pin_is_refused(sim):
    with pytest.raises(OverflowError):
        sim.set(s_b=256)


def test_wide_payloads_pass_whole(sim):
    """Through the block, by the source, the pins and both recorders."""
    recorders = [sim.recorder([f"{port}_{name}" for name in BITS], port) for port in ("s", "m")]
    source, sent = sim.source("s", list(BITS)), [payload(k) for k in range(20)]
    source.send(len(sent), **{name: [item[name] for item in sent] for name in BITS})
    sim.run(len(sent) + 3)
    for recorder in recorders:
        assert [values(BITS, row) for row in recorder.take()] == sent
    assert {name: sim.get(f"m_{name}") for name in BITS} == sent[-1]


def test_extreme_payloads_pass_whole(sim):
    for name, extremes in EXTREMES.items():
        recorder, source = sim.recorder([f"m_{name}"], "m"), sim.source("s", [name])
        source.send(len(extremes), **{name: extremes})
        sim.run(len(extremes) + 3)
        assert [values({name: BITS[name]}, row)[name] for row in recorder.take()] == extremes
        recorder.arm(False)


def test_fields_have_to_fit_their_stream():
    assert packed(dict(a=1, c=33), 2, dict(a=1, c=[2, 1 << 32])).tolist() == [[1, 2, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1]]
    with pytest.raises(ValueError, match=r"fields \['b'\], expected \['a'\]"):
        packed(dict(a=1), 1, dict(b=1))


def test_a_source_keeps_due(sim):
    """Nothing passes early; what is due waits for what stands before it; due in the past is at once."""
    source, passed = sim.source("s", ["b"]), sim.recorder(["s_b"], "s")
    now = sim.cycle
    source.send(due=now + 20, b=1)
    source.send(due=now + 5, b=2)
    source.send(due=now + 30, b=3)
    source.send(due=0, b=4)
    assert not source.idle
    sim.run(50)
    assert passed.take().tolist() == [[now + 20, 1], [now + 21, 2], [now + 30, 3], [now + 31, 4]]
    assert source.idle
    source.send(b=5)
    sim.run(1)
    assert passed.take().tolist() == [[now + 50, 5]] and source.idle


def test_a_source_holds_its_offer(sim):
    """A payload that is not taken stays, and passes once it is."""
    source, passed = sim.source("s", ["b"]), sim.recorder(["s_b"], "s")
    sim.set(m_ready=0)
    source.send(DEPTH + 4, b=list(range(DEPTH + 4)))
    sim.run(20)
    assert len(passed.take()) == DEPTH + 1 and not source.idle
    assert (sim.get("s_valid"), sim.get("s_b")) == (1, DEPTH + 1)
    sim.set(m_ready=1)
    sim.run(20)
    assert passed.take()[:, 1].tolist() == [DEPTH + 1, DEPTH + 2, DEPTH + 3] and source.idle


def test_changes_are_recorded_once(sim):
    """The first row says how things stand; arming anew says it again; disarmed, nothing is kept."""
    changes, source = sim.recorder(["m_valid", "m_b"]), sim.source("s", ["b"])
    stands = [sim.get("m_valid"), sim.get("m_b")]
    now = sim.cycle
    sim.run(10)
    assert changes.take().tolist() == [[now, *stands]]
    source.send(2, b=7)
    sim.run(10)
    rows = changes.take().tolist()
    assert [row for row in rows if row[1]] == [[now + 11, 1, 7]]  # the second one looks the same
    assert rows[-1] == [now + 13, 0, rows[-1][2]]
    changes.arm(False)
    source.send(b=9)
    sim.run(10)
    assert not len(changes.take())
    changes.arm(True)
    sim.run(10)
    assert [row[0] for row in changes.take().tolist()] == [now + 30]


def test_nothing_is_recorded_or_sent_in_reset():
    with wide() as sim:
        sim.set(rst=1, m_ready=1)
        changes, source = sim.recorder(["s_ready"]), sim.source("s", ["b"])
        source.send(b=1)
        sim.run(10)
        assert not len(changes.take()) and not source.idle
        sim.set(rst=0)
        sim.run(5)
        assert changes.take()[0].tolist() == [10, 0] and source.idle


def test_run_ends_where_it_may(sim):
    """At a recorder that wakes, where a source is drained, or when the cycles are over, beyond a chunk too."""
    wakes, source = sim.recorder(["m_b"], "m", wakes=True), sim.source("s", ["b"])
    now = sim.cycle
    source.send(due=now + 40, b=3)
    sim.run(1000)
    assert wakes.take().tolist() == [[now + 41, 3]] and sim.cycle == now + 42
    source.send(3, due=now + 60, b=4)
    ends = []
    for _ in range(3):  # each comes out a cycle after it has gone in
        sim.run(1000)
        ends.append(sim.cycle)
    assert ends == [now + 62, now + 63, now + 64] and source.idle
    sim.run(100)  # nothing new, though the rows are still there
    assert sim.cycle == now + 164 and len(wakes.take()) == 3
    wakes.arm(False)
    source.send(2, due=now + 200, b=5)
    sim.run(1000, source)
    assert source.idle and sim.cycle == now + 202
    sim.run(123_456)
    assert sim.cycle == now + 202 + 123_456


def test_what_is_not_shown_is_refused_by_name(sim):
    for path in ("s_nothing", "u_ring.count", "u_nowhere.x"):
        assert not sim.has(path)
        with pytest.raises(KeyError, match=rf"{path}: not among the pins that the build of llama_fifo\w* shows"):
            sim.get(path)
    assert sim.has("s_b") and sim.has("m_ready")


def test_registers_begin_at_random_and_the_same_every_time():
    """A forgotten reset shows: the wide register behind the output is not zero, and no bit pattern repeats in it."""
    found = []
    for _ in range(2):
        with wide() as sim:
            sim.set(rst=1, m_ready=0)
            sim.run(1)
            found.append({name: sim.get(f"m_{name}") for name in BITS})
    assert found[0] == found[1]
    words = [found[0]["f"] >> 32 * k & 0xFFFFFFFF for k in range(4)]
    assert 0 not in words and len(set(words)) == len(words)


def test_several_at_once_in_one_process():
    """Two of one block and one of another, in turn: each has its own state and its own cycles."""
    bits = dict(data=66)
    with wide() as one, wide() as two, library(skid, **ports(**bits)) as other:
        plan = [(one, "f", 130, 5), (two, "f", 130, 3), (other, "data", 66, 4)]
        at_work = []
        for number, (sim, name, width, count) in enumerate(plan):
            reset(sim)
            sent = [(1 << width - 1) + 16 * number + k for k in range(count)]
            at_work.append((sim, sim.source("s", [name]), sim.recorder([f"m_{name}"], "m"), name, width, sent))
        for step in range(5):
            for sim, source, _, name, _, sent in at_work:
                if step < len(sent):
                    source.send(**{name: sent[step]})
                sim.run(2 + step)
        for sim, source, recorder, name, width, sent in at_work:
            assert [values({name: width}, row)[name] for row in recorder.take()] == sent
            assert source.idle and sim.cycle == 5 + sum(range(2, 7))


def test_one_that_is_closed_leaves_the_others(sim):
    other = wide()
    other.close()
    other.close()  # does nothing
    source, passed = sim.source("s", ["b"]), sim.recorder(["s_b"], "s")
    source.send(b=1)
    sim.run(3)
    assert len(passed.take()) == 1


def test_a_check_that_fires_is_one_line_and_the_process_lives_on(capfd):
    """Twice, beside one that is driven by its rules; the message and its instance are named."""
    with library(never_both, **check_ports()) as good:
        for _ in range(2):
            with library(never_both, **check_ports()) as bad:
                for sim in (good, bad):
                    sim.set(rst=1, a=0, b=0)
                    sim.run(3)
                    sim.set(rst=0, b=1)
                    sim.run(3)
                bad.set(a=1)
                with pytest.raises(SimulationError) as caught:
                    bad.run(10)
                assert str(caught.value) == f"the hardware ended the simulation: llama_never_both.u_watch: {MESSAGE}"
                with pytest.raises(SimulationError, match=MESSAGE):
                    bad.run(10)  # it stays ended
        good.run(1000)
        assert good.cycle == 12 + 1000
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("remote", SIMULATORS)
def test_the_same_as_under_cocotb(remote):
    """One piece of work with waits, stalls, wakes and a reset in its midst: the same rows in the same cycles."""

    def work(sim):
        rows = []
        changes = sim.recorder(["s_ready", "m_valid"])
        into = sim.recorder([f"s_{name}" for name in BITS], "s")
        out = sim.recorder([f"m_{name}" for name in BITS], "m", wakes=True)
        source = sim.source("s", list(BITS))
        reset(sim)
        for k in range(8):
            source.send(k % 3 + 1, due=sim.cycle + 5 * (k % 2), **payload(k))
            sim.set(m_ready=int(k % 4 != 3), rst=int(k == 5))
            sim.run(7)
            sim.set(m_ready=1, rst=0)
            sim.run(30, source)
            rows.append((sim.cycle, source.idle, *(r.take().tolist() for r in (into, out))))
        rows.append([row for row in changes.take().tolist()])
        return rows, {name: sim.get(f"m_{name}") for name in BITS}

    with wide() as sim:
        expected = work(sim)
    with RemoteSimulator(build(fifo, dict(ports(**BITS), DEPTH=DEPTH), remote)) as sim:
        assert work(sim) == expected
    assert sum(len(row[2]) for row in expected[0][:-1]) == 14  # of 15 that were sent; the last one waits


def test_a_check_watches_from_the_first_cycles_on():
    """A reset keeps it quiet."""
    with library(never_both, **check_ports()) as sim:
        sim.set(rst=1, a=1, b=1)
        sim.run(100)
        assert sim.cycle == 100
    with library(never_both, **check_ports()) as sim:
        sim.set(rst=0, a=1, b=1)
        with pytest.raises(SimulationError, match=MESSAGE):
            sim.run(3)
