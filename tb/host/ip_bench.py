"""An IP block in Verilator, its driver, and models for it: what its tests share."""

from dataclasses import replace

import pytest

from llama2_myhdl.host.driver import Driver
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.ip import BASE, SimulatedIp
from llama2_myhdl.spec.access import AccessError
from llama2_myhdl.spec.control import REGISTERS
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.quantise import quantise_checkpoint
from tb.sim.models import SHAPE, random_model

BUILD = preset("nano").build
# all that may lie in memory does
BUS_BUILD = replace(preset("nano-kv").build, sequences=2)
STORM = dict(latency=(1, 90), stalls=dict(ar=0.4, r=0.3), refresh=(200, 20))
WRITE_CALM = dict(write_faults={})
CALM = dict(latency=(1, 1), stalls=dict(ar=0.0, r=0.0), refresh=None, faults={})
STORY = Request((1, 7, 12), 9)
OTHER = BASE + 0x3000  # an address in the memory


@pytest.fixture(scope="module")
def ip_block():
    with SimulatedIp(BUILD) as ip:
        yield ip


@pytest.fixture(scope="module")
def bus_block():
    with SimulatedIp(BUS_BUILD) as ip:
        yield ip


def driver_of(ip):
    """A driver of a block as it is behind a reset, with a memory that answers at once."""
    ip.reset()
    ip.forget()
    for name, memory in ip.memories.items():
        memory.behave(**CALM, **(WRITE_CALM if name.startswith("m_axi_cache") else {}))
    return Driver(ip, ip, REGISTERS, pause=ip.pause)


@pytest.fixture
def ip_driver(ip_block):
    return driver_of(ip_block)


@pytest.fixture
def bus_driver(bus_block):
    return driver_of(bus_block)


@pytest.fixture(scope="module")
def ip_model():
    fixed, tape = random_model(3, BUILD)
    return fixed, tape.beats.tobytes()


@pytest.fixture(scope="module")
def bus_model():
    fixed, tape = random_model(4, BUS_BUILD)
    weights = quantise_checkpoint(random_checkpoint(SHAPE, 4, True), gptq=False)
    return fixed, tape.beats.tobytes(), memory_image(weights, BUS_BUILD)


def refused(ip, what, resp, code):
    """An access is answered with an error, and the reason kept; then it is cleared."""
    with pytest.raises(AccessError) as caught:
        what()
    error = REGISTERS["error"]
    assert caught.value.resp == resp
    assert error.unpack(ip.read(error.address))["access"] == code
    ip.write(REGISTERS["control"].address, REGISTERS["control"].pack(clear=1))
    assert error.unpack(ip.read(error.address))["access"] == 0


def tell(driver, fixed, request=STORY, slot=0):
    """A story is the integer model's."""
    beats = list(driver.generate(request, slot))
    assert beats == list(fixed.decode(request)) and beats
    return beats
