"""A model of a serial line and of its frames, apart from the RTL and from the host's code."""

import binascii
from bisect import bisect

from llama2_myhdl.spec.link import END, ESCAPE, FLIP

FRAME_BITS = 10


def levels(byte: int) -> list[int]:
    """The ten bits of a byte in the order in which they are sent."""
    return [0, *(byte >> k & 1 for k in range(8)), 1]


def edges(data: bytes, clocks: int, bits: int, start: int = 0) -> list[tuple[int, int]]:
    """(cycle, level) of each bit of the bytes, one byte behind the other, each bit as near to its time as can be."""
    sent = [level for byte in data for level in levels(byte)]
    return [(start + k * clocks // bits, level) for k, level in enumerate(sent)]


class Receiver:
    """Bytes out of (cycle, level) changes of a line; AssertionError where they are none."""

    def __init__(self, clocks: int, bits: int):
        # cycles from the start bit's edge: where each bit is looked at, a quarter from its edges and in its midst, the
        # middle of the stop bit, and the end, rounded up
        quarters = [clocks * k // (4 * bits) for k in range(4 * FRAME_BITS)]
        self._looks = [quarters[k + 1 : k + 4] for k in range(0, len(quarters), 4)]
        self._over, self._end = quarters[-2], -(-FRAME_BITS * clocks // bits)
        self._changes: list[tuple[int, int]] = []  # since the last byte
        self._free = 0  # no start bit before

    def feed(self, changes: list[tuple[int, int]], now: int) -> bytes:
        """The bytes that are whole at the cycle `now`."""
        self._changes += changes
        found = []
        while (start := self._start()) is not None:
            if start + self._end > now:
                break
            found.append(self._byte(start))
            self._free = start + self._over
        return bytes(found)

    def _start(self) -> int | None:
        """Cycle in which the next byte begins."""
        return next((cycle for cycle, level in self._changes if level == 0 and cycle >= self._free), None)

    def _level(self, cycle: int) -> int:
        place = bisect(self._changes, (cycle, 2))
        return self._changes[place - 1][1] if place else 1

    def _byte(self, start: int) -> int:
        seen = [{self._level(start + look) for look in bit} for bit in self._looks]
        assert all(len(bit) == 1 for bit in seen), f"cycle {start}: bits change in their midst: {seen}"
        bits = [bit.pop() for bit in seen]
        assert (bits[0], bits[9]) == (0, 1), f"cycle {start}: no start or stop bit: {bits}"
        self._changes = [(at, level) for at, level in self._changes if at > start]
        return sum(level << k for k, level in enumerate(bits[1:9]))


def frame(content: bytes) -> bytes:
    """The line's bytes of a frame."""
    whole = content + (binascii.crc32(content) & 0xFFFFFFFF).to_bytes(4, "little")
    line = [END]
    for byte in whole:
        line += [ESCAPE, byte ^ FLIP] if byte in (END, ESCAPE) else [byte]
    return bytes([*line, END])


def frames(line: bytes) -> list[bytes]:
    """The contents of the frames on a line; AssertionError when one is damaged."""
    found = []
    for part in filter(None, line.split(bytes([END]))):
        whole, place = [], 0
        while place < len(part):
            escaped = part[place] == ESCAPE
            whole.append(part[place + 1] ^ FLIP if escaped else part[place])
            place += 1 + escaped
        content = bytes(whole[:-4])
        assert frame(content) == bytes([END]) + part + bytes([END])
        found.append(content)
    return found
