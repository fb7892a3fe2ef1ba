"""settings against a list: what was written last of each sequence, while another is written, or the same."""
import random
from dataclasses import replace

import cocotb
import pytest

from llama2_myhdl.rtl.sampling.settings import Settings, ports, settings
from llama2_myhdl.sim.runner import SIMULATORS, run, test_parameters
from llama2_myhdl.spec.presets import preset
from tb.myhdl_sim import simulate
from tb.pipeline import apply
from tb.sampling.script import Script

BUILDS = {sequences: replace(preset("default").build, sequences=sequences) for sequences in (1, 4)}
FIELDS = {name: len(getattr(Settings(), name)) for name in Settings().payload}
OUTPUTS = {f"m_{name}": False for name in FIELDS}
CYCLES = 1000


def script(cfg):
    rng, made, slots = random.Random(7), Script(), [None] * ports(cfg)["SLOTS"]
    for cycle in range(CYCLES):
        seq, write_seq, write = rng.randrange(len(slots)), rng.randrange(len(slots)), rng.random() < 0.4
        entry = {name: rng.choice([0, (1 << bits) - 1, rng.getrandbits(bits)]) for name, bits in FIELDS.items()}
        if cycle < len(slots):  # each is written once before it is read
            write_seq, write = cycle, True
        made.cycle(write=int(write), write_seq=write_seq, seq=seq, **{f"entry_{k}": v for k, v in entry.items()})
        if slots[seq]:
            made.expect(cycle + 1, **{f"m_{k}": v for k, v in slots[seq].items()})
            made.seen["same"] += write and seq == write_seq
        if write:
            slots[write_seq] = entry
    made.cycle(**made.inputs[-1])
    assert made.seen["same"] > 50
    return made


@pytest.mark.parametrize("sequences", BUILDS)
def test_settings_myhdl(sequences):
    cfg = BUILDS[sequences]
    made = script(cfg)
    compared = made.compare(simulate(settings, ports(cfg), made.inputs, OUTPUTS, 0))
    assert compared == len(FIELDS) * len(made.wanted) > 7900


@pytest.mark.parametrize("sequences", BUILDS)
@pytest.mark.parametrize("sim", SIMULATORS)
def test_settings(sim, sequences):
    run(settings, ports(BUILDS[sequences]), __name__, sim, parameters=dict(sequences=sequences), tests=1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def all_cycles(dut):
    made = script(BUILDS[test_parameters()["sequences"]])
    found = await apply(dut, made.inputs, OUTPUTS, 0)
    assert made.compare(found) == len(FIELDS) * len(made.wanted) > 7900
    with pytest.raises(AssertionError):
        made.compare(found[1:])  # one cycle off is seen
