"""What a simulated memory holds."""


class Contents:
    """Bytes by their addresses, in parts that lie apart."""

    def __init__(self):
        self._parts: list[tuple[int, bytearray]] = []

    def put(self, address: int, data: bytes) -> None:
        """Bytes from an address on."""
        self._parts.append((address, bytearray(data)))

    def fill(self, parts: dict[int, bytes]) -> None:
        """These bytes, by their addresses, and no others any more."""
        self._parts = [(address, bytearray(data)) for address, data in parts.items()]

    def word(self, address: int, size: int) -> int | None:
        """So many bytes, the lowest first; None where nothing lies."""
        for start, data in self._parts:
            if start <= address < start + len(data):
                return int.from_bytes(data[address - start : address - start + size], "little")
        return None

    def write(self, address: int, word: int, strobes: int, size: int) -> bool:
        """Change those of so many bytes whose bit is set; False, and nothing, where nothing lies."""
        for start, data in self._parts:
            if start <= address < start + len(data):
                for k, value in enumerate(word.to_bytes(size, "little")):
                    if strobes >> k & 1:
                        data[address - start + k] = value
                return True
        return False
