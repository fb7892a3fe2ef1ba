"""What the IP block refuses, through its registers: each with its answer and its code, and what comes next is right."""

import pytest

from llama2_myhdl.host.driver import DriverError
from llama2_myhdl.sim.ip import BASE
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.spec import access, errors
from llama2_myhdl.spec.access import AccessError
from llama2_myhdl.spec.axi import DECERR, SLVERR
from llama2_myhdl.spec.control import PROMPT_DEPTH, REGISTERS, WORD_BYTES, allowed, boot_bus
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.spec.stops import STOP_ERROR
from tb.host.ip_bench import BUILD, CALM, OTHER, STORY, refused, tell
from tb.sim.models import SHAPE

pytestmark = pytest.mark.skipif("verilator" not in SIMULATORS, reason="Verilator compiles the library")


def test_every_register_answers(ip_block, ip_driver):
    """All that are read are, and no others; settings hold what a reset gives, and what is written."""
    before = {}
    for register in REGISTERS.values():
        if register.name.startswith("tape["):
            refused(ip_block, lambda r=register: ip_block.read(r.address), DECERR, access.NO_REGISTER)
        elif not register.readable:
            refused(ip_block, lambda r=register: ip_block.read(r.address), SLVERR, access.NO_ACCESS)
        elif register.stored:
            bits = allowed(register, BUILD)
            for value in (register.reset & bits, bits, bits & 0x5555_5555, register.reset & bits):
                assert ip_block.read(register.address) == before.get(register.name, register.reset & bits)
                ip_block.write(register.address, value)
                before[register.name] = value
        elif not register.name.startswith(("build.", "shape.")):
            ip_block.read(register.address)
    known = {register.address for register in REGISTERS.values()}
    unknown = [address for address in (0x98, 0x94, 0x17C, 0x280, 0x3FC, 0x400, 0x800, 0xFFC) if address not in known]
    assert len(unknown) == 8
    for address in (*unknown, *(REGISTERS["id"].address + k for k in range(1, WORD_BYTES))):
        refused(ip_block, lambda a=address: ip_block.read(a), DECERR, access.NO_REGISTER)
        refused(ip_block, lambda a=address: ip_block.write(a, 0), DECERR, access.NO_REGISTER)


def test_what_may_not_be_written(ip_block, ip_driver):
    address = {name: register.address for name, register in REGISTERS.items()}
    for name in ("id", "status", "counter_low", "build.lanes", "token"):
        refused(ip_block, lambda n=name: ip_block.write(address[n], 0), SLVERR, access.NO_ACCESS)
    refused(ip_block, lambda: ip_block.write(address["steps"], 1, strobes=0b0111), SLVERR, access.NO_ACCESS)
    position = 1 << BUILD.pos_bits + 1
    beyond = dict(slot=1, steps=position, top_k=0x80, image_high=1 << 8, irq_enable=1 << 4, control=1 << 3)
    beyond |= {"target": 1 << BUILD.token_bits, "stop[3]": 1 << BUILD.token_bits, "prompt": 1 << BUILD.token_bits}
    for name, value in beyond.items():
        refused(ip_block, lambda n=name, v=value: ip_block.write(address[n], v), SLVERR, access.BAD_VALUE)
    assert ip_block.read(address["steps"]) == REGISTERS["steps"].reset


def test_bad_images(ip_block, ip_driver, ip_model):
    """Each fault has its code; behind a soft reset the right image is loaded, and tells."""
    fixed, image = ip_model

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
        ip_block.forget()
        ip_block.put(OTHER, data)
        ip_driver.reset()
        load(ip_driver, place, length)
        assert ip_driver.read("error") == dict(code=code, access=0), (hex(place), length)
        status = ip_driver.read("status")
        assert (status["loaded"], status["loading"], status["idle"]) == (0, 0, 0)
        refused(ip_block, lambda: ip_driver.write("prompt", token=1, last=1), SLVERR, access.NO_ROOM)
    ip_driver.load(image)
    tell(ip_driver, fixed)


def load(ip_driver, place, length):
    """As the driver does, with whatever numbers."""
    ip_driver.write("image_low", value=place & 0xFFFFFFFF)
    ip_driver.write("image_high", value=place >> 32)
    ip_driver.write("image_bytes", value=length)
    ip_driver.write("control", start=1)
    ip_driver._wait("the image", lambda: not ip_driver.read("status")["loading"])


def test_faults_of_the_memory(ip_block, ip_driver, ip_model):
    """SLVERR or DECERR on any beat: its code, no hang, and the next load is right."""
    fixed, image = ip_model
    memory = ip_block.memories["m_axi_boot"]
    words = len(image) // 8
    for at, resp, code in ((0, SLVERR, errors.SLAVE_ERROR), (words // 2, DECERR, errors.DECODE_ERROR),
                           (words - 1, SLVERR, errors.SLAVE_ERROR)):  # fmt: skip
        memory.behave(**CALM | dict(faults={memory.seen("made") + at: resp}))
        with pytest.raises(DriverError, match="SLVERR" if resp == SLVERR else "DECERR"):
            ip_driver.load(image)
        assert ip_driver.read("error")["code"] == code
    ip_driver.load(image)
    tell(ip_driver, fixed)


def test_settings_are_locked_while_they_are_used(ip_block, ip_driver, ip_model):
    fixed, image = ip_model
    memory = ip_block.memories["m_axi_boot"]
    memory.behave(**CALM | dict(stalls=dict(ar=0.0, r=0.9)))
    ip_driver.reset()
    ip_block.put(OTHER, image)
    ip_driver.write("image_low", value=OTHER & 0xFFFFFFFF)
    ip_driver.write("image_high", value=OTHER >> 32)
    ip_driver.write("image_bytes", value=len(image))
    ip_driver.write("control", start=1)
    locked = [lambda n=name: ip_driver.write(n, value=0) for name in ("image_low", "image_high", "image_bytes")]
    locked.append(lambda: ip_driver.write("control", start=1))
    assert ip_driver.read("status")["loading"] == 1
    for what in locked:
        refused(ip_block, what, SLVERR, access.LOCKED)
    assert ip_driver.read("status")["loading"] == 1
    ip_driver._wait("the image", lambda: ip_driver.read("status")["loaded"])
    for what in locked:
        refused(ip_block, what, SLVERR, access.LOCKED)
    story = ip_driver.generate(Request((1, 5), 12))
    beats = [next(story)]
    assert ip_driver.read("status")["running"] == 1
    for name in ("steps", "top_k", "top_p", "min_p", "seed", "stream", "new_tokens", "stops", "stop[0]"):
        refused(ip_block, lambda n=name: ip_driver.write(n, value=0), SLVERR, access.LOCKED)
    for name in ("mode", "temperature"):
        refused(ip_block, lambda n=name: ip_driver.write(n), SLVERR, access.LOCKED)
    refused(ip_block, lambda: ip_driver.write("prompt", token=1, last=1), SLVERR, access.LOCKED)
    beats += story
    assert beats == list(fixed.decode(Request((1, 5), 12)))
    ip_driver.write("steps", value=3)  # and now it may be


def test_the_prompt_mailbox_says_when_it_is_full(ip_block, ip_driver, ip_model):
    """A host that writes on regardless gets SLVERR, and the prompt is what was taken; token beats wait meanwhile."""
    fixed, image = ip_model
    ip_driver.load(image)
    ip_driver.write("steps", value=0)
    taken = 0
    with pytest.raises(AccessError):
        for _ in range(10 * PROMPT_DEPTH):
            ip_driver.write("prompt", token=5, last=0)
            taken += 1
    assert ip_driver.read("error")["access"] == access.NO_ROOM
    assert taken > PROMPT_DEPTH and ip_driver.read("status")["prompt_room"] == 0
    ip_driver._wait("room", lambda: ip_driver.read("status")["prompt_room"] > 0)
    ip_driver.write("prompt", token=5, last=1)
    ip_driver._wait("the end", lambda: not ip_driver.read("status")["running"])
    # longer than the context: it has ended there, and the rest was swallowed
    assert ip_driver.read("error")["code"] == errors.TOO_LONG
    ip_driver.write("control", clear=1)
    assert ip_driver.read("error") == dict(code=0, access=0)
    assert ip_driver.read("status")["tokens"] == fixed.shape.seq_len
    stops = [ip_driver.read("token")["stop"] for _ in range(fixed.shape.seq_len)]
    assert stops == [0] * (len(stops) - 1) + [STOP_ERROR] and ip_driver.read("token")["valid"] == 0
    tell(ip_driver, fixed)


def test_bad_prompts(ip_block, ip_driver, ip_model):
    """A token out of range, a prompt beyond the context: they end in error, and the next story is right."""
    fixed, image = ip_model
    ip_driver.load(image)
    for prompt, code in (((1, SHAPE.vocab_size), errors.BAD_TOKEN), ((3,) * (SHAPE.seq_len + 3), errors.TOO_LONG)):
        assert tell(ip_driver, fixed, Request(prompt))[-1].stop == STOP_ERROR
        assert ip_driver.read("error")["code"] == code
        with pytest.raises(DriverError, match="the decoder says"):
            ip_driver.check()
    tell(ip_driver, fixed)
    assert ip_driver.read("error")["code"] == errors.NONE
    for words, request, slot in (("prompt: must be", Request(()), 0), ("slot.value: must be 0 to 255", STORY, 256),
                                 ("steps.value: must be 0", Request((1,), 1 << 24), 0)):  # fmt: skip
        with pytest.raises(DriverError, match=words):
            next(ip_driver.generate(request, slot))


def test_what_the_driver_refuses(ip_block, ip_driver, ip_model):
    """Before anything is written: no room, overlaps, misaligned and distant places, tapes that are not wanted."""
    _, image = ip_model
    end = BASE + ip_block.size
    for words, arguments in (
        ("must be a multiple of 8, is", dict(places=[OTHER + 4])),
        ("not within the memory", dict(places=[end - 8])),
        ("not within the memory", dict(places=[BASE - 8])),
        ("this build reads 0, 1 are given", dict(tapes=[b"1"])),
    ):
        with pytest.raises(DriverError, match=words):
            ip_driver.load(image, **arguments)
    with pytest.raises(DriverError, match="no model is loaded"):
        next(ip_driver.generate(STORY))
    with pytest.raises(DriverError, match="no model is loaded"):
        ip_driver.shape()


def test_windows_that_overlap(bus_driver, bus_model):
    _, image, tapes = bus_model
    apart = [OTHER + k * 0x10000 for k in range(5)]
    with pytest.raises(DriverError, match="boot image and part 1 of the model overlap"):
        bus_driver.load(image, tapes, places=[*apart[:2], OTHER + len(image) // 16 * 8, *apart[3:]])
    with pytest.raises(DriverError, match="part 2 of the model and keys and values of engine 0 overlap"):
        bus_driver.load(image, tapes, places=[*apart[:4], apart[3] // 4096 * 4096])
    with pytest.raises(DriverError, match="keys and values of engine 0: its address must be a multiple of 4096, is"):
        bus_driver.load(image, tapes, places=[*apart[:4], apart[4] + 8])
    what = "the image, 3 parts of the model and 1 caches"
    with pytest.raises(DriverError, match=f"places: must be 5 addresses, of {what}, are 2"):
        bus_driver.load(image, tapes, places=apart[:2])
