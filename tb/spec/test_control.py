"""The registers of the IP block: the description agrees with what else names the same things, and with itself."""

from dataclasses import replace

import pytest

from llama2_myhdl.rtl.control.plan import plan
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.control import (
    ADDRESS_BITS,
    INDEX_BITS,
    PLACES,
    REGISTERS,
    WORD_BYTES,
    allowed,
    cache_pages,
    in_build,
    place_buses,
    tape_count,
)
from llama2_myhdl.spec.link import DESCRIBED
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.stops import MORE_STOPS

BUILD, BUS_BUILD = preset("nano").build, preset("nano-bus").build
BOTH = preset("nano-kv").build  # a cache in memory too


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


@pytest.mark.parametrize("build", [BUILD, BUS_BUILD, BOTH, replace(BUILD, list_entries=0), replace(BUILD, sequences=4)])
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


def test_places_without_registers_are_refused():
    build = replace(BUS_BUILD, max_layers=PLACES)
    assert tape_count(BUS_BUILD) == 3 and tape_count(BUILD) == 0
    assert len(place_buses(replace(build, engines=PLACES - 2))) == PLACES and not place_buses(BUILD)
    with pytest.raises(ConfigError, match=f"must be at most {PLACES} by their registers, are {PLACES + 1}"):
        place_buses(replace(build, engines=PLACES - 1))
    with pytest.raises(ConfigError, match=f"must be at most {PLACES} by their registers, are {2 * PLACES}"):
        place_buses(replace(build, cache=BOTH.cache, engines=PLACES - 1))


def test_places_of_a_cache_are_as_wide_as_its_bus():
    """And there is one for each engine; the pages are those of its layout."""
    wide = replace(BOTH, cache=replace(BOTH.cache, address_bits=48), engines=2)
    assert place_buses(wide) == [wide.weights] * 3 + [wide.embedding] + [wide.cache] * 2
    highs = [allowed(REGISTERS[f"tape[{k}].high"], wide) for k in range(6)]
    assert highs == [(1 << bus.address_bits - 32) - 1 for bus in place_buses(wide)] and highs[-1] == 0xFFFF
    assert not in_build(REGISTERS["tape[6].low"], wide) and in_build(REGISTERS["tape[5].low"], wide)
    assert (cache_pages(BUS_BUILD), cache_pages(wide)) == (0, 1)  # 576 bytes
    long = replace(wide, max_seq=4096)
    assert cache_pages(long) == -(-layout(long).bytes // 4096) > 1


def test_words_are_packed_and_unpacked():
    register = REGISTERS["temperature"]
    assert register.unpack(register.pack(scale=1, shift=30)) == dict(scale=1, shift=30)
    assert register.pack() == register.reset
    with pytest.raises(ValueError, match="temperature.shift: must be 0 to 31, is 32"):
        register.pack(shift=32)
