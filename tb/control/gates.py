"""What the tests of both gates share: a master's bursts before a gate that is told to stop now and then."""

import random

from cocotb.triggers import FallingEdge, ReadOnly

from llama2_myhdl.sim.clock import start
from llama2_myhdl.spec.axi import ReadMaster

AXI = ReadMaster(data_bits=64, burst=16, depth=32, outstanding=4)
CYCLES, PHASE = 6000, 80
FIELDS = ("addr", "len", "size", "burst", "cache", "prot", "id")  # of an address channel


async def phases(dut, channel, drive, check):
    """Bursts on `channel`, "ar" or "aw", at random, in phases with and without `stop`, against a model of the gate.

    drive(rng, under_way): sets the pins of the other channels to what they are in the next cycle, and returns whether a
    burst ends in it, if one is under way; check(stop): looks at these pins when they have settled.
    """
    valid, taken, stops = pins = getattr(dut, f"s_{channel}valid"), getattr(dut, f"m_{channel}ready"), dut.stop
    m_valid, s_ready = getattr(dut, f"m_{channel}valid"), getattr(dut, f"s_{channel}ready")
    given, seen = ([getattr(dut, f"{side}_{channel}{name}") for name in FIELDS] for side in "sm")
    rng, offered, under_way = random.Random(9), False, 0
    for pin in (*pins, *given):
        pin.value = 0
    drive(rng, 0)
    await start(dut)
    wanted = held = False
    quiets = stopped = late = 0
    for now in range(CYCLES):
        await FallingEdge(dut.clk)
        stop = now // PHASE % 2 == 1
        if not offered:
            offered = rng.random() < 0.5
            for pin in given:
                pin.value = rng.getrandbits(len(pin))
        room, ready = under_way < AXI.outstanding, rng.random() < 0.5
        ends = drive(rng, under_way)
        valid.value, taken.value, stops.value = int(offered and room), int(ready), int(stop)
        assert dut.quiet.value == int(wanted)
        quiets += wanted
        await ReadOnly()
        passes = offered and room and (held or not stop)
        assert m_valid.value == int(passes) and s_ready.value == int(ready and (held or not stop))
        assert [pin.value for pin in seen] == [pin.value for pin in given]
        check(stop)
        late += passes and stop
        stopped += offered and room and not passes
        wanted = stop and not held and not (passes and ready) and under_way == 0
        held = passes and not ready
        under_way += (passes and ready) - ends
        offered = offered and not (passes and ready)
    assert quiets > 100 and stopped > 100 and late > 5
