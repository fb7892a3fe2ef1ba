"""Registers and memory mapped from a device, tested on files: every access at its place, and what cannot be."""

import struct

import pytest

from llama2_myhdl.host.driver import ID, Driver, DriverError
from llama2_myhdl.host.mapped import PAGE, MappedMemory, MappedWords
from llama2_myhdl.spec.control import REGISTERS


@pytest.fixture
def device(tmp_path):
    """A file of three pages, whose second one is what a block says of itself."""
    file = tmp_path / "device"
    page = bytearray(PAGE)
    words = {"id": ID, "version": REGISTERS["version"].reset, "build.lanes": 64, "parts": 1, "status": 1}
    words["bus"] = REGISTERS["bus"].pack(data_bits=64, address_bits=40)
    for name, word in words.items():
        struct.pack_into("<I", page, REGISTERS[name].address, word)
    file.write_bytes(bytes(PAGE) + page + bytes(PAGE))
    return file


def test_words_and_memory_are_where_they_should_be(device):
    at_memory = MappedMemory(str(device), 0x7000_0000, PAGE, 2 * PAGE)
    with MappedWords(str(device), offset=PAGE) as words, at_memory as memory:
        driver = Driver(words, memory, REGISTERS)
        assert driver.build["lanes"] == 64 and not driver.draws
        image = bytes(range(1, 251))
        with pytest.raises(DriverError, match="does not say that the image is loaded"):
            driver.load(image, places=[0x7000_0008])
    data = device.read_bytes()
    assert data[:PAGE] == bytes(PAGE) and data[2 * PAGE + 8 :][: len(image)] == image
    read = {name: struct.unpack_from("<I", data, PAGE + REGISTERS[name].address)[0] for name in REGISTERS}
    assert (read["image_low"], read["image_high"], read["image_bytes"]) == (0x7000_0008, 0, len(image))
    assert read["control"] == REGISTERS["control"].pack(start=1)


def test_a_block_of_before_has_no_word_of_a_cache(device):
    """Version 1.0: that address is no register of it."""
    data = bytearray(device.read_bytes())
    struct.pack_into("<I", data, PAGE + REGISTERS["version"].address, 1 << 16)
    device.write_bytes(bytes(data))
    with MappedWords(str(device), offset=PAGE) as words:
        asked, read = [], words.read
        words.read = lambda address: asked.append(address) or read(address)
        Driver(words, None, REGISTERS)
    assert REGISTERS["parts"].address in asked and REGISTERS["cache"].address not in asked


def test_a_word_is_little_endian(device):
    with MappedWords(str(device)) as words:
        words.write(8, 0x0403_0201)
        assert words.read(8) == 0x0403_0201
    assert device.read_bytes()[8:12] == bytes([1, 2, 3, 4])


def test_another_thing_at_that_address(device):
    with MappedWords(str(device)) as words, pytest.raises(DriverError, match="no llama2.myhdl at this address"):
        Driver(words, None, REGISTERS)
    data = bytearray(device.read_bytes())
    struct.pack_into("<I", data, PAGE + REGISTERS["version"].address, 9 << 16)
    device.write_bytes(data)
    with MappedWords(str(device), offset=PAGE) as words, pytest.raises(DriverError, match="must be 1, is 9.0"):
        Driver(words, None, REGISTERS)


def test_what_cannot_be_mapped_or_accessed(device):
    for words, make in (
        ("No such file", lambda: MappedWords(str(device) + "x")),
        ("cannot be mapped", lambda: MappedWords(str(device), offset=4 * PAGE)),
        ("must be mapped from a multiple of 4096, not 0x8", lambda: MappedMemory(str(device), 0, PAGE, 8)),
    ):
        with pytest.raises(DriverError, match=words):
            make()
    with MappedWords(str(device)) as words, MappedMemory(str(device), 0x1000, PAGE) as memory:
        for address in (2, PAGE, -4):
            with pytest.raises(DriverError, match="must be accessed by words, 0 to 0xffc"):
                words.read(address)
        for address in (0xFFF, 0x1FFF):
            with pytest.raises(DriverError, match="2 bytes at .* are beyond its 4096 at 0x1000"):
                memory.put(address, b"12")
