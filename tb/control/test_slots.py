"""slots: which sequences run, in every cycle, as a model of the mailboxes has it."""

import random

import cocotb
import pytest
from cocotb.triggers import FallingEdge

from llama2_myhdl.rtl.control.slots import ports, slots
from llama2_myhdl.sim.clock import start
from llama2_myhdl.sim.runner import SIMULATORS, run

SEQ_BITS, CYCLES = 2, 3000


@pytest.mark.parametrize("sim", SIMULATORS)
def test_slots(sim):
    run(slots, ports(SEQ_BITS), __name__, sim, tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def followed(dut):
    """Prompts of one token and of many, sequences that end before their prompts do, and while others begin."""
    rng, running, opened, prompting, left, slot = random.Random(3), set(), False, False, 0, 0
    for pin in (dut.push, dut.push_last, dut.handed, dut.ends, dut.slot, dut.ends_slot):
        pin.value = 0
    await start(dut)
    seen = {"early": 0, "both": 0, "full": 0}
    for _ in range(CYCLES):
        await FallingEdge(dut.clk)
        assert dut.opened.value == int(opened) and dut.prompting.value == int(prompting)
        assert dut.running.value == int(bool(running)) and dut.busy.value == int(int(dut.slot.value) in running)
        push = push_last = handed = ends = False
        ended = 0
        if opened:
            push = rng.random() < 0.5
            push_last = push and left == 0
            left -= push
        elif prompting:
            handed = rng.random() < 0.3
        elif rng.random() < 0.4:
            free = [k for k in range(1 << SEQ_BITS) if k not in running]
            if free:
                slot, left = rng.choice(free), rng.randrange(4)
                push, push_last = True, left == 0
                left -= 1
        if running and rng.random() < 0.12:
            ends, ended = True, rng.choice(sorted(running))
            seen["early"] += opened and ended == slot
            seen["both"] += push and not opened
        dut.push.value, dut.push_last.value, dut.slot.value = int(push), int(push_last), slot
        dut.handed.value, dut.ends.value, dut.ends_slot.value = int(handed), int(ends), ended
        if push and not opened:
            running.add(slot)
        if ends:
            running.discard(ended)
        if push:
            opened, prompting = not push_last, True
        elif handed:
            prompting = False
        seen["full"] += len(running) == 1 << SEQ_BITS
    assert min(seen.values()) > 3
