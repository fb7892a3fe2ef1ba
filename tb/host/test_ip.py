"""The IP block in Verilator, through its registers alone: boot by DMA, stories, counters, interrupts, soft resets."""

import numpy as np
import pytest

from llama2_myhdl.host.driver import DriverError
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import access
from llama2_myhdl.spec.access import AccessError
from llama2_myhdl.spec.axi import DECERR, SLVERR
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.control import PLACES, PROMPT_DEPTH, REGISTERS, TOKEN_DEPTH, boot_bus, cache_pages
from llama2_myhdl.spec.link import DESCRIBED
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS
from llama2_myhdl.spec.registers import register_values
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import Request
from tb.host.ip_bench import BUILD, BUS_BUILD, CALM, OTHER, STORM, STORY, refused, tell
from tb.sim.models import SHAPE

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")


def test_it_says_what_it_is(ip_driver):
    assert ip_driver.build == {name: getattr(BUILD, name) for name in DESCRIBED}
    assert ip_driver.read("parts") == dict(stations=1, tapes=0, prompt_depth=PROMPT_DEPTH, token_depth=TOKEN_DEPTH)
    bus = boot_bus(BUILD)
    assert ip_driver.read("bus") == dict(data_bits=bus.data_bits, address_bits=bus.address_bits)
    status = ip_driver.read("status")
    assert status.pop("prompt_room") == PROMPT_DEPTH
    assert {name for name, value in status.items() if value} == {"idle"}


def test_a_model_is_loaded_and_tells(ip_block, ip_driver, ip_model):
    """From a stormy memory; greedy, drawn, with log-probabilities; the counters are those of the work done."""
    fixed, image = ip_model
    ip_block.memories["m_axi_boot"].behave(**STORM)
    before = ip_block.memories["m_axi_boot"].seen("sent")
    ip_driver.load(image, places=[OTHER])
    words = -(-len(image) // (boot_bus(BUILD).data_bits // 8))
    assert ip_block.memories["m_axi_boot"].seen("sent") - before == words  # read once
    values = register_values(fixed.shape, BUILD)
    assert ip_driver.shape() == {name: values[name] for name in SHAPE_REGISTERS}
    requests = [
        STORY,
        Request((1,), 0),
        Request(tuple(range(3, 14)), 0, logprobs=True),  # to the context's end
        Request((1, 5, 9), 11, sampling=Sampling(1.2, 5, 0.9, 0.01, 7, 3), stops=(4, 6), new_tokens=6, logprobs=True),
    ]
    told = [tell(ip_driver, fixed, request) for request in requests]
    stats = ip_driver.stats()
    (counters,) = stats["counters"]
    positions = sum(map(len, told))
    assert counters["tokens"] == positions
    scored = sum(beat.scored for beats in told for beat in beats)
    layers = SHAPE.beats(BUILD.lanes, classifier=False)
    assert counters["weights"] == positions * layers + scored * (SHAPE.beats(BUILD.lanes) - layers)
    # the counters are read one after the other, while the cycles go on
    assert 0 <= stats["cycles"] - sum(counters[cause] for cause in CAUSES) and stats["error"] == 0


def test_no_token_is_lost_to_a_host_that_only_reads_the_mailbox(ip_block, ip_driver, ip_model):
    """A beat that comes while the mailbox is being read as empty stays there for the next read."""
    fixed, image = ip_model
    ip_driver.load(image)
    request, token = Request((1, 7, 12), 0), REGISTERS["token"]
    for pause in range(12):  # reads in every phase
        ip_driver._settle(request, 0)
        for k, word in enumerate(request.prompt):
            ip_driver.write("prompt", token=word, last=int(k == len(request.prompt) - 1))
        found = []
        while not found or not found[-1]["last"]:
            fields = token.unpack(ip_block.read(token.address))
            found += [fields] if fields["valid"] else []
            ip_block.sim.run(1 + (pause + len(found)) % 3)
        assert [fields["token"] for fields in found] == [beat.token for beat in fixed.decode(request)]


def test_interrupts(ip_block, ip_driver, ip_model):
    """irq follows what is enabled of what has happened, until that is cleared."""
    _, image = ip_model
    for name in ("loaded", "failed", "token", "ended"):
        ip_driver.write("irq_enable", **{name: 1})
        assert ip_block.sim.get("irq") == 0
        ip_driver.reset()
        ip_driver.load(image)
        if name == "failed":
            with pytest.raises(AccessError):
                ip_block.read(0xFFC)
        if name in ("token", "ended"):
            list(ip_driver.generate(Request((1, 4), 3)))
        status = ip_driver.read("irq_status")
        assert status[name] == 1 and ip_block.sim.get("irq") == 1
        ip_driver.write("irq_status", **{other: 1 for other in status if other != name})
        assert ip_driver.read("irq_status") == dict.fromkeys(status, 0) | {name: 1} and ip_block.sim.get("irq") == 1
        ip_driver.write("irq_status", **{name: 1})
        assert ip_block.sim.get("irq") == 0
        ip_driver.write("control", clear=1)


def test_soft_reset_at_any_time(ip_block, ip_driver, ip_model):
    """In the midst of loading, of a prompt and of a story: what comes next is right, and addresses stay."""
    fixed, image = ip_model
    rng = np.random.default_rng(5)
    ip_driver.load(image, places=[OTHER])
    ip_block.memories["m_axi_boot"].behave(**STORM)
    for _ in range(12):
        ip_driver.write("control", start=1) if ip_driver.read("status")["idle"] else None
        ip_block.sim.run(int(rng.integers(1, 1500)))
        ip_driver.reset()
        assert ip_driver.read("image_low")["value"] == OTHER & 0xFFFFFFFF
    ip_driver.load(image)
    for count in (1, 3, 5):
        story = ip_driver.generate(Request((1, 5, 6), 12))
        for _ in range(count):
            next(story)
        ip_driver.reset()
        assert ip_driver.read("status")["tokens"] == 0 and not ip_driver.read("status")["running"]
        ip_driver.load(image)
        tell(ip_driver, fixed)


def test_tapes_in_memory(bus_block, bus_driver, bus_model):
    """The tapes' addresses are registers too; two slots; soft resets in the midst of bursts, and memory that fails."""
    ip_driver, (fixed, image, tapes) = bus_driver, bus_model
    assert ip_driver.read("parts")["tapes"] == len(tapes) == 3  # two tapes, and the embedding
    refused(bus_block, lambda: bus_block.read(REGISTERS[f"tape[{PLACES - 1}].low"].address), DECERR, access.NO_REGISTER)
    for memory in bus_block.memories.values():
        memory.behave(**STORM)
    ip_driver.load(image, tapes)
    for slot in (0, 1):
        tell(ip_driver, fixed, slot=slot)
    refused(bus_block, lambda: ip_driver.write("tape[1].low", value=0), SLVERR, access.LOCKED)
    for count in (1, 2, 4):
        story = ip_driver.generate(Request((1, 5, 6), 12))
        for _ in range(count):
            next(story)
        bus_block.sim.run(37 * count)
        ip_driver.reset()
        ip_driver.load(image, tapes)
        tell(ip_driver, fixed, slot=count % 2)
    tape_memory = bus_block.memories["m_axi_0"]
    tape_memory.behave(**CALM | dict(faults={tape_memory.seen("made") + 500: SLVERR}))
    with pytest.raises(DriverError, match="SLVERR"):
        for _ in range(9):
            list(ip_driver.generate(STORY))
    ip_driver.load(image, tapes)
    tell(ip_driver, fixed)


def test_keys_and_values_in_memory(bus_block, bus_driver, bus_model):
    """Soft resets in the midst of stories leave no write without words or answer; writes that fail are told."""
    ip_driver, (fixed, image, tapes) = bus_driver, bus_model
    assert ip_driver.read("cache")["pages"] == cache_pages(BUS_BUILD) > 0
    memory, rng = bus_block.memories["m_axi_cache_0"], np.random.default_rng(6)
    memory.behave(**STORM | dict(stalls=dict(ar=0.3, r=0.3, aw=0.4, w=0.5, b=0.5)))
    ip_driver.load(image, tapes, places=[OTHER + k * 0x10000 for k in range(len(tapes) + 2)])
    tell(ip_driver, fixed)
    interrupted = 0
    for _ in range(12):
        next(ip_driver.generate(Request((1, 5, 6), 12)))
        bus_block.sim.run(int(rng.integers(1, 700)))
        interrupted += memory.seen("offered") != memory.seen("answered")
        ip_driver.reset()
        assert memory.seen("offered") == memory.seen("answered")
        ip_driver.load(image, tapes)
    tell(ip_driver, fixed)
    for resp, words in ((SLVERR, "a write with SLVERR"), (DECERR, "a write with DECERR")):
        memory.behave(**CALM, write_faults={memory.seen("offered") + 7: resp})
        with pytest.raises(DriverError, match=words):
            for _ in range(3):
                list(ip_driver.generate(STORY))
        ip_driver.load(image, tapes)
        tell(ip_driver, fixed)


def test_slots_are_locked_one_by_one(bus_block, bus_driver, bus_model):
    """While one slot runs, another's settings may be written, and both stories are what they are alone."""
    ip_driver, (fixed, image, tapes) = bus_driver, bus_model
    ip_driver.load(image, tapes)
    long, short = Request((1, 5, 6), 12), Request((1, 9), 4)
    ip_driver._settle(long, 0)
    ip_driver.write("prompt", token=1, last=0)
    refused(bus_block, lambda: ip_driver.write("slot", value=1), SLVERR, access.LOCKED)
    for token, last in ((5, 0), (6, 1)):
        ip_driver.write("prompt", token=token, last=last)
    ip_driver._wait("the prompt", lambda: not ip_driver.read("status")["prompting"])
    refused(bus_block, lambda: ip_driver.write("steps", value=1), SLVERR, access.LOCKED)
    ip_driver._settle(short, 1)
    for token, last in ((1, 0), (9, 1)):
        ip_driver.write("prompt", token=token, last=last)
    found = {0: [], 1: []}
    while ip_driver.read("status")["running"] or ip_driver.read("status")["tokens"]:
        if ip_driver.read("status")["tokens"]:
            found[ip_driver.read("token_place")["slot"]].append(ip_driver.read("token")["token"])
    for slot, request in enumerate((long, short)):
        assert found[slot] == [beat.token for beat in fixed.decode(request)]
