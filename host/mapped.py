"""Registers and memory of a board, mapped from a device: /dev/mem, UIO, a DMA buffer, or any file of that kind.

    words = MappedWords("/dev/uio0")                                       # the first region of a UIO device
    words = MappedWords("/dev/mem", offset=0xA000_0000)                    # where the registers stand in the system
    memory = MappedMemory("/dev/udmabuf0", base=0x7000_0000, size=1 << 28) # base: as the block's masters see it
    memory = MappedMemory("/dev/mem", base=0x7000_0000, size=1 << 28, offset=0x7000_0000)

A processor that gets an error from the bus ends the program (SIGBUS): `Driver` asks ahead of what it does. The devices
are opened with O_SYNC, so that nothing stays in a cache on the way.
"""

import ctypes
import mmap
import os
import sys

from llama2_myhdl.host.driver import DriverError

WORD_BYTES, PAGE = 4, 4096


class _Mapped:
    """`size` bytes of the file at `path`, from byte `offset` on; DriverError."""

    def __init__(self, path: str, size: int, offset: int):
        if sys.byteorder != "little":
            raise DriverError("the registers are little-endian, and so must the processor be")
        if offset % mmap.ALLOCATIONGRANULARITY:
            granule = mmap.ALLOCATIONGRANULARITY
            raise DriverError(f"{path}: must be mapped from a multiple of {granule}, not {offset:#x}")
        try:
            handle = os.open(path, os.O_RDWR | os.O_SYNC)
            try:
                self._map = mmap.mmap(handle, size, mmap.MAP_SHARED, offset=offset)
            finally:
                os.close(handle)
        except (OSError, ValueError) as error:  # ValueError: of a file that is shorter
            raise DriverError(f"{path}: {size} bytes at {offset:#x} cannot be mapped: {error}") from error
        self._path, self._size = path, size

    def close(self) -> None:
        self._map.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()


class MappedWords(_Mapped):
    """The registers, a page of them; each access is one of 32 bits."""

    def __init__(self, path: str, offset: int = 0, size: int = PAGE):
        super().__init__(path, size, offset)
        self._words = (ctypes.c_uint32 * (size // WORD_BYTES)).from_buffer(self._map)

    def _index(self, address: int) -> int:
        if address % WORD_BYTES or not 0 <= address < self._size:
            last = self._size - WORD_BYTES
            raise DriverError(f"{self._path}: must be accessed by words, 0 to {last:#x}, not {address:#x}")
        return address // WORD_BYTES

    def read(self, address: int) -> int:
        return self._words[self._index(address)]

    def write(self, address: int, value: int) -> None:
        self._words[self._index(address)] = value

    def close(self) -> None:
        del self._words  # the map cannot be closed under it
        super().close()


class MappedMemory(_Mapped):
    """base: address of the first byte as the block's masters see it; size: bytes."""

    def __init__(self, path: str, base: int, size: int, offset: int = 0):
        super().__init__(path, size, offset)
        self.base, self.size = base, size

    def put(self, address: int, data: bytes) -> None:
        """Bytes at an address of the block's masters; DriverError beyond the memory."""
        begin = address - self.base
        if not 0 <= begin <= self.size - len(data):
            where = f"{self.size} at {self.base:#x}"
            raise DriverError(f"{self._path}: {len(data)} bytes at {address:#x} are beyond its {where}")
        self._map[begin : begin + len(data)] = data
