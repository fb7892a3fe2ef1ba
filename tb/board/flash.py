"""A model of an SPI flash that knows one command: read from an address on."""


class Flash:
    """content: bytes from `start` on, 0xFF elsewhere. Tell it its pins whenever they may have changed."""

    def __init__(self, content: bytes, start: int):
        self._content, self._start = content, start
        self._sck, self.lost = 0, 0
        self._deselect()
        self.addresses = []  # that were read from

    def _deselect(self):
        self._order, self._bits, self._out = 0, 0, 1

    def pins(self, cs_n: int, sck: int, mosi: int) -> int:
        """The level of miso."""
        rises, falls = sck and not self._sck, self._sck and not sck
        self._sck = sck
        if cs_n:
            self._deselect()
            self.lost += rises  # clocks that it does not see
        elif rises:
            self._bits += 1
            if self._bits <= 32:
                self._order = self._order << 1 | mosi
        elif falls and self._bits >= 32:
            if self._bits == 32:
                assert self._order >> 24 == 0x03, f"command {self._order >> 24:#x}"
                self.addresses.append(self._order & 0xFFFFFF)
            place, bit = divmod(self._bits - 32, 8)
            place += self.addresses[-1] - self._start
            byte = self._content[place] if 0 <= place < len(self._content) else 0xFF
            self._out = byte >> (7 - bit) & 1
        return self._out
