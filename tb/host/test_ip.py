"""The IP block in Verilator, through its registers alone: boot by DMA, stories, counters, and all that is refused."""

from dataclasses import replace

import numpy as np
import pytest

from llama2_myhdl.host.driver import Driver, DriverError
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.ip import BASE, SimulatedIp
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import access, errors
from llama2_myhdl.spec.access import AccessError
from llama2_myhdl.spec.axi import DECERR, SLVERR
from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.control import PROMPT_DEPTH, REGISTERS, TAPES, TOKEN_DEPTH, WORD_BYTES, allowed, boot_bus
from llama2_myhdl.spec.link import DESCRIBED
from llama2_myhdl.spec.presets import preset
from llama2_myhdl.spec.registers import REGISTERS as SHAPE_REGISTERS
from llama2_myhdl.spec.registers import register_values
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.spec.stops import STOP_ERROR
from llama2_myhdl.weights.memory import memory_image
from llama2_myhdl.weights.quantise import quantise_checkpoint
from tb.sim.models import SHAPE, random_model

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")

BUILD = preset("nano").build
BUS_BUILD = replace(preset("nano-bus").build, sequences=2)
STORM = dict(latency=(1, 90), stalls=dict(ar=0.4, r=0.3), refresh=(200, 20))
CALM = dict(latency=(1, 1), stalls=dict(ar=0.0, r=0.0), refresh=None, faults={})
STORY = Request((1, 7, 12), 9)
OTHER = BASE + 0x3000  # an address in the memory


@pytest.fixture(scope="module")
def block():
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
    for memory in ip.memories.values():
        memory.behave(**CALM)
    return Driver(ip, ip, REGISTERS, pause=ip.pause)


@pytest.fixture
def driver(block):
    return driver_of(block)


@pytest.fixture
def bus_driver(bus_block):
    return driver_of(bus_block)


@pytest.fixture(scope="module")
def model():
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


def test_it_says_what_it_is(driver):
    assert driver.build == {name: getattr(BUILD, name) for name in DESCRIBED}
    assert driver.read("parts") == dict(stations=1, tapes=0, prompt_depth=PROMPT_DEPTH, token_depth=TOKEN_DEPTH)
    bus = boot_bus(BUILD)
    assert driver.read("bus") == dict(data_bits=bus.data_bits, address_bits=bus.address_bits)
    status = driver.read("status")
    assert status.pop("prompt_room") == PROMPT_DEPTH
    assert {name for name, value in status.items() if value} == {"idle"}


def test_every_register_answers(block, driver):
    """All that are read are, and no others; settings hold what a reset gives, and what is written."""
    before = {}
    for register in REGISTERS.values():
        if register.name.startswith("tape["):
            refused(block, lambda r=register: block.read(r.address), DECERR, access.NO_REGISTER)
        elif not register.readable:
            refused(block, lambda r=register: block.read(r.address), SLVERR, access.NO_ACCESS)
        elif register.stored:
            bits = allowed(register, BUILD)
            for value in (register.reset & bits, bits, bits & 0x5555_5555, register.reset & bits):
                assert block.read(register.address) == before.get(register.name, register.reset & bits)
                block.write(register.address, value)
                before[register.name] = value
        elif not register.name.startswith(("build.", "shape.")):
            block.read(register.address)
    known = {register.address for register in REGISTERS.values()}
    unknown = [address for address in (0x3C, 0x94, 0x17C, 0x280, 0x3FC, 0x400, 0x800, 0xFFC) if address not in known]
    assert len(unknown) == 8
    for address in (*unknown, *(REGISTERS["id"].address + k for k in range(1, WORD_BYTES))):
        refused(block, lambda a=address: block.read(a), DECERR, access.NO_REGISTER)
        refused(block, lambda a=address: block.write(a, 0), DECERR, access.NO_REGISTER)


def test_what_may_not_be_written(block, driver):
    address = {name: register.address for name, register in REGISTERS.items()}
    for name in ("id", "status", "counter_low", "build.lanes", "token"):
        refused(block, lambda n=name: block.write(address[n], 0), SLVERR, access.NO_ACCESS)
    refused(block, lambda: block.write(address["steps"], 1, strobes=0b0111), SLVERR, access.NO_ACCESS)
    position = 1 << BUILD.pos_bits + 1
    beyond = dict(slot=1, steps=position, top_k=0x80, image_high=1 << 8, irq_enable=1 << 4, control=1 << 3)
    beyond |= {"target": 1 << BUILD.token_bits, "stop[3]": 1 << BUILD.token_bits, "prompt": 1 << BUILD.token_bits}
    for name, value in beyond.items():
        refused(block, lambda n=name, v=value: block.write(address[n], v), SLVERR, access.BAD_VALUE)
    assert block.read(address["steps"]) == REGISTERS["steps"].reset


def test_a_model_is_loaded_and_tells(block, driver, model):
    """From a stormy memory; greedy, drawn, with log-probabilities; the counters are those of the work done."""
    fixed, image = model
    block.memories["m_axi_boot"].behave(**STORM)
    before = block.memories["m_axi_boot"].seen("sent")
    driver.load(image, places=[OTHER])
    words = -(-len(image) // (boot_bus(BUILD).data_bits // 8))
    assert block.memories["m_axi_boot"].seen("sent") - before == words  # read once
    values = register_values(fixed.shape, BUILD)
    assert driver.shape() == {name: values[name] for name in SHAPE_REGISTERS}
    requests = [
        STORY,
        Request((1,), 0),
        Request(tuple(range(3, 14)), 0, logprobs=True),  # to the context's end
        Request((1, 5, 9), 11, sampling=Sampling(1.2, 5, 0.9, 0.01, 7, 3), stops=(4, 6), new_tokens=6, logprobs=True),
    ]
    told = [tell(driver, fixed, request) for request in requests]
    stats = driver.stats()
    (counters,) = stats["counters"]
    positions = sum(map(len, told))
    assert counters["tokens"] == positions
    scored = sum(beat.scored for beats in told for beat in beats)
    layers = SHAPE.beats(BUILD.lanes, classifier=False)
    assert counters["weights"] == positions * layers + scored * (SHAPE.beats(BUILD.lanes) - layers)
    # the counters are read one after the other, while the cycles go on
    assert 0 <= stats["cycles"] - sum(counters[cause] for cause in CAUSES) and stats["error"] == 0


def test_no_token_is_lost_to_a_host_that_only_reads_the_mailbox(block, driver, model):
    """A beat that comes while the mailbox is being read as empty stays there for the next read."""
    fixed, image = model
    driver.load(image)
    request, token = Request((1, 7, 12), 0), REGISTERS["token"]
    for pause in range(12):  # reads in every phase
        driver._settle(request, 0)
        for k, word in enumerate(request.prompt):
            driver.write("prompt", token=word, last=int(k == len(request.prompt) - 1))
        found = []
        while not found or not found[-1]["last"]:
            fields = token.unpack(block.read(token.address))
            found += [fields] if fields["valid"] else []
            block.sim.run(1 + (pause + len(found)) % 3)
        assert [fields["token"] for fields in found] == [beat.token for beat in fixed.decode(request)]


def test_bad_images(block, driver, model):
    """Each fault has its code; behind a soft reset the right image is loaded, and tells."""
    fixed, image = model

    def spoilt(at, bit=1):
        data = bytearray(image)
        data[at] ^= bit
        return bytes(data)

    beat = BUILD.lanes
    last = (1 << boot_bus(BUILD).address_bits) - 8
    cases = [  # image, its address, its length, the code
        (spoilt(0), OTHER, len(image), errors.BAD_IMAGE),
        (spoilt(2 * beat, 0x0C), OTHER, len(image), errors.BAD_IMAGE),  # of other lanes
        (spoilt(5 * beat, 0x40), OTHER, len(image), errors.BAD_SHAPE),
        (spoilt(len(image) - 40), OTHER, len(image), errors.BAD_CHECKSUM),
        (image, OTHER, len(image) - beat, errors.BAD_LENGTH),
        (image, OTHER, len(image) // 2 // beat * beat, errors.BAD_LENGTH),
        (image + bytes(beat), OTHER, len(image) + beat, errors.BAD_LENGTH),
        (image, OTHER, len(image) - 1, errors.BAD_LENGTH),
        (image, OTHER, 0, errors.BAD_WINDOW),
        (image, OTHER + beat, len(image), errors.BAD_WINDOW),
        (image, last, len(image), errors.BAD_WINDOW),
        (image[: len(image) // 2], OTHER, len(image), errors.DECODE_ERROR),
    ]
    for data, place, length, code in cases:
        block.forget()
        block.put(OTHER, data)
        driver.reset()
        load(driver, place, length)
        assert driver.read("error") == dict(code=code, access=0), (hex(place), length)
        status = driver.read("status")
        assert (status["loaded"], status["loading"], status["idle"]) == (0, 0, 0)
        refused(block, lambda: driver.write("prompt", token=1, last=1), SLVERR, access.NO_ROOM)
    driver.load(image)
    tell(driver, fixed)


def load(driver, place, length):
    """As the driver does, with whatever numbers."""
    driver.write("image_low", value=place & 0xFFFFFFFF)
    driver.write("image_high", value=place >> 32)
    driver.write("image_bytes", value=length)
    driver.write("control", start=1)
    driver._wait("the image", lambda: not driver.read("status")["loading"])


def test_faults_of_the_memory(block, driver, model):
    """SLVERR or DECERR on any beat: its code, no hang, and the next load is right."""
    fixed, image = model
    memory = block.memories["m_axi_boot"]
    words = len(image) // 8
    for at, resp, code in ((0, SLVERR, errors.SLAVE_ERROR), (words // 2, DECERR, errors.DECODE_ERROR),
                           (words - 1, SLVERR, errors.SLAVE_ERROR)):  # fmt: skip
        memory.behave(**CALM | dict(faults={memory.seen("made") + at: resp}))
        with pytest.raises(DriverError, match="SLVERR" if resp == SLVERR else "DECERR"):
            driver.load(image)
        assert driver.read("error")["code"] == code
    driver.load(image)
    tell(driver, fixed)


def test_settings_are_locked_while_they_are_used(block, driver, model):
    fixed, image = model
    memory = block.memories["m_axi_boot"]
    memory.behave(**CALM | dict(stalls=dict(ar=0.0, r=0.9)))
    driver.reset()
    block.put(OTHER, image)
    driver.write("image_low", value=OTHER & 0xFFFFFFFF)
    driver.write("image_high", value=OTHER >> 32)
    driver.write("image_bytes", value=len(image))
    driver.write("control", start=1)
    locked = [lambda n=name: driver.write(n, value=0) for name in ("image_low", "image_high", "image_bytes")]
    locked.append(lambda: driver.write("control", start=1))
    assert driver.read("status")["loading"] == 1
    for what in locked:
        refused(block, what, SLVERR, access.LOCKED)
    assert driver.read("status")["loading"] == 1
    driver._wait("the image", lambda: driver.read("status")["loaded"])
    for what in locked:
        refused(block, what, SLVERR, access.LOCKED)
    story = driver.generate(Request((1, 5), 12))
    beats = [next(story)]
    assert driver.read("status")["running"] == 1
    for name in ("steps", "top_k", "top_p", "min_p", "seed", "stream", "new_tokens", "stops", "stop[0]"):
        refused(block, lambda n=name: driver.write(n, value=0), SLVERR, access.LOCKED)
    for name in ("mode", "temperature"):
        refused(block, lambda n=name: driver.write(n), SLVERR, access.LOCKED)
    refused(block, lambda: driver.write("prompt", token=1, last=1), SLVERR, access.LOCKED)
    beats += story
    assert beats == list(fixed.decode(Request((1, 5), 12)))
    driver.write("steps", value=3)  # and now it may be


def test_the_prompt_mailbox_says_when_it_is_full(block, driver, model):
    """A host that writes on regardless gets SLVERR, and the prompt is what was taken; token beats wait meanwhile."""
    fixed, image = model
    driver.load(image)
    driver.write("steps", value=0)
    taken = 0
    with pytest.raises(AccessError):
        for _ in range(10 * PROMPT_DEPTH):
            driver.write("prompt", token=5, last=0)
            taken += 1
    assert driver.read("error")["access"] == access.NO_ROOM
    assert taken > PROMPT_DEPTH and driver.read("status")["prompt_room"] == 0
    driver._wait("room", lambda: driver.read("status")["prompt_room"] > 0)
    driver.write("prompt", token=5, last=1)
    driver._wait("the end", lambda: not driver.read("status")["running"])
    # longer than the context: it has ended there, and the rest was swallowed
    assert driver.read("error")["code"] == errors.TOO_LONG
    driver.write("control", clear=1)
    assert driver.read("error") == dict(code=0, access=0)
    assert driver.read("status")["tokens"] == fixed.shape.seq_len
    stops = [driver.read("token")["stop"] for _ in range(fixed.shape.seq_len)]
    assert stops == [0] * (len(stops) - 1) + [STOP_ERROR] and driver.read("token")["valid"] == 0
    tell(driver, fixed)


def test_bad_prompts(block, driver, model):
    """A token out of range, a prompt beyond the context: they end in error, and the next story is right."""
    fixed, image = model
    driver.load(image)
    for prompt, code in (((1, SHAPE.vocab_size), errors.BAD_TOKEN), ((3,) * (SHAPE.seq_len + 3), errors.TOO_LONG)):
        assert tell(driver, fixed, Request(prompt))[-1].stop == STOP_ERROR
        assert driver.read("error")["code"] == code
        with pytest.raises(DriverError, match="the decoder says"):
            driver.check()
    tell(driver, fixed)
    assert driver.read("error")["code"] == errors.NONE
    for words, request, slot in (("prompt: must be", Request(()), 0), ("slot.value: must be 0 to 255", STORY, 256),
                                 ("steps.value: must be 0", Request((1,), 1 << 24), 0)):  # fmt: skip
        with pytest.raises(DriverError, match=words):
            next(driver.generate(request, slot))


def test_interrupts(block, driver, model):
    """irq follows what is enabled of what has happened, until that is cleared."""
    _, image = model
    for name in ("loaded", "failed", "token", "ended"):
        driver.write("irq_enable", **{name: 1})
        assert block.sim.get("irq") == 0
        driver.reset()
        driver.load(image)
        if name == "failed":
            with pytest.raises(AccessError):
                block.read(0xFFC)
        if name in ("token", "ended"):
            list(driver.generate(Request((1, 4), 3)))
        status = driver.read("irq_status")
        assert status[name] == 1 and block.sim.get("irq") == 1
        driver.write("irq_status", **{other: 1 for other in status if other != name})
        assert driver.read("irq_status") == dict.fromkeys(status, 0) | {name: 1} and block.sim.get("irq") == 1
        driver.write("irq_status", **{name: 1})
        assert block.sim.get("irq") == 0
        driver.write("control", clear=1)


def test_soft_reset_at_any_time(block, driver, model):
    """In the midst of loading, of a prompt and of a story: what comes next is right, and addresses stay."""
    fixed, image = model
    rng = np.random.default_rng(5)
    driver.load(image, places=[OTHER])
    block.memories["m_axi_boot"].behave(**STORM)
    for _ in range(12):
        driver.write("control", start=1) if driver.read("status")["idle"] else None
        block.sim.run(int(rng.integers(1, 1500)))
        driver.reset()
        assert driver.read("image_low")["value"] == OTHER & 0xFFFFFFFF
    driver.load(image)
    for count in (1, 3, 5):
        story = driver.generate(Request((1, 5, 6), 12))
        for _ in range(count):
            next(story)
        driver.reset()
        assert driver.read("status")["tokens"] == 0 and not driver.read("status")["running"]
        driver.load(image)
        tell(driver, fixed)


def test_tapes_in_memory(bus_block, bus_driver, bus_model):
    """The tapes' addresses are registers too; two slots; soft resets in the midst of bursts, and memory that fails."""
    driver, (fixed, image, tapes) = bus_driver, bus_model
    assert driver.read("parts")["tapes"] == len(tapes) == 2
    refused(bus_block, lambda: bus_block.read(REGISTERS[f"tape[{TAPES - 1}].low"].address), DECERR, access.NO_REGISTER)
    for memory in bus_block.memories.values():
        memory.behave(**STORM)
    driver.load(image, tapes)
    for slot in (0, 1):
        tell(driver, fixed, slot=slot)
    refused(bus_block, lambda: driver.write("tape[1].low", value=0), SLVERR, access.LOCKED)
    for count in (1, 2, 4):
        story = driver.generate(Request((1, 5, 6), 12))
        for _ in range(count):
            next(story)
        bus_block.sim.run(37 * count)
        driver.reset()
        driver.load(image, tapes)
        tell(driver, fixed, slot=count % 2)
    tape_memory = bus_block.memories["m_axi_0"]
    tape_memory.behave(**CALM | dict(faults={tape_memory.seen("made") + 500: SLVERR}))
    with pytest.raises(DriverError, match="SLVERR"):
        for _ in range(9):
            list(driver.generate(STORY))
    driver.load(image, tapes)
    tell(driver, fixed)


def test_slots_are_locked_one_by_one(bus_block, bus_driver, bus_model):
    """While one slot runs, another's settings may be written, and both stories are what they are alone."""
    driver, (fixed, image, tapes) = bus_driver, bus_model
    driver.load(image, tapes)
    long, short = Request((1, 5, 6), 12), Request((1, 9), 4)
    driver._settle(long, 0)
    driver.write("prompt", token=1, last=0)
    refused(bus_block, lambda: driver.write("slot", value=1), SLVERR, access.LOCKED)
    for token, last in ((5, 0), (6, 1)):
        driver.write("prompt", token=token, last=last)
    driver._wait("the prompt", lambda: not driver.read("status")["prompting"])
    refused(bus_block, lambda: driver.write("steps", value=1), SLVERR, access.LOCKED)
    driver._settle(short, 1)
    for token, last in ((1, 0), (9, 1)):
        driver.write("prompt", token=token, last=last)
    found = {0: [], 1: []}
    while driver.read("status")["running"] or driver.read("status")["tokens"]:
        if driver.read("status")["tokens"]:
            found[driver.read("token_place")["slot"]].append(driver.read("token")["token"])
    for slot, request in enumerate((long, short)):
        assert found[slot] == [beat.token for beat in fixed.decode(request)]


def test_what_the_driver_refuses(block, driver, model):
    """Before anything is written: no room, overlaps, misaligned and distant places, tapes that are not wanted."""
    _, image = model
    end = BASE + block.size
    for words, arguments in (
        ("must be a multiple of 8, is", dict(places=[OTHER + 4])),
        ("not within the memory", dict(places=[end - 8])),
        ("not within the memory", dict(places=[BASE - 8])),
        ("this build has 0, 1 are given", dict(tapes=[b"1"])),
    ):
        with pytest.raises(DriverError, match=words):
            driver.load(image, **arguments)
    with pytest.raises(DriverError, match="no model is loaded"):
        next(driver.generate(STORY))
    with pytest.raises(DriverError, match="no model is loaded"):
        driver.shape()


def test_windows_that_overlap(bus_driver, bus_model):
    _, image, tapes = bus_model
    with pytest.raises(DriverError, match="boot image and tape 1 overlap"):
        bus_driver.load(image, tapes, places=[OTHER, OTHER + 0x10000, OTHER + len(image) // 16 * 8])
