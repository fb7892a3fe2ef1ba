"""The registers of the IP block: the description agrees with what else names the same things, and with itself."""

from dataclasses import replace

import pytest

from llama2_myhdl.rtl.control.plan import plan
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.control import (
    ADDRESS_BITS,
    INDEX_BITS,
    REGISTERS,
    TAPES,
    WORD_BYTES,
    allowed,
    in_build,
    tape_count,
)
from llama2_myhdl.spec.link import DESCRIBED
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.stops import MORE_STOPS

BUILD, BUS_BUILD = preset("nano").build, preset("nano-bus").build


def names(prefix):
    return [name[len(prefix) :] for name in REGISTERS if name.startswith(prefix)]


def test_names_are_those_of_the_other_descriptions():
    assert names("build.") == list(DESCRIBED)
    assert names("shape.") == list(SHAPE_REGISTERS)
    assert len(names("stop[")) == MORE_STOPS


def test_a_reset_leaves_a_greedy_sampler_that_cuts_nothing_off():
    registers = Sampling().registers()
    reset = {name: register.unpack(register.reset) for name, register in REGISTERS.items()}
    assert reset["mode"] == dict(score=0, greedy=1, logprobs=0)
    assert reset["temperature"] == dict(scale=registers.scale, shift=registers.shift)
    found = {name: reset[name]["value"] for name in ("top_k", "top_p", "min_p", "seed", "stream")}
    assert found == dict(top_k=registers.k, top_p=registers.p, min_p=registers.floor, seed=0, stream=0)


def test_addresses_are_words_of_a_page():
    addresses = [register.address for register in REGISTERS.values()]
    assert len(addresses) == len(set(addresses)) and not any(address % WORD_BYTES for address in addresses)
    assert max(addresses) < WORD_BYTES << INDEX_BITS <= 1 << ADDRESS_BITS


@pytest.mark.parametrize("build", [BUILD, BUS_BUILD, replace(BUILD, list_entries=0), replace(BUILD, sequences=4)])
def test_the_tables_of_a_build_are_its_registers(build):
    table = plan(build, 1)
    for register in REGISTERS.values():
        index = register.address // WORD_BYTES
        there = in_build(register, build)
        assert table.readable[index] == (there and register.readable), register.name
        assert table.writable[index] == (there and register.writable), register.name
        if there and register.writable:
            assert table.outside[index] == 0xFFFFFFFF ^ allowed(register, build)
            assert allowed(register, build) & ~register.mask == 0
    known = {register.address // WORD_BYTES for register in REGISTERS.values()}
    assert not any(table.readable[k] or table.writable[k] for k in range(1 << INDEX_BITS) if k not in known)


def test_tapes_without_registers_are_refused():
    build = replace(BUS_BUILD, max_layers=TAPES)
    assert tape_count(replace(build, engines=TAPES - 2)) == TAPES and tape_count(BUILD) == 0
    with pytest.raises(ConfigError, match=f"engines: must be at most {TAPES - 2}"):
        tape_count(replace(build, engines=TAPES - 1))


def test_words_are_packed_and_unpacked():
    register = REGISTERS["temperature"]
    assert register.unpack(register.pack(scale=1, shift=30)) == dict(scale=1, shift=30)
    assert register.pack() == register.reset
    with pytest.raises(ValueError, match="temperature.shift: must be 0 to 31, is 32"):
        register.pack(shift=32)
