"""Frames on the serial line, as `spec/link.py` has them."""

import zlib

from llama2_myhdl.spec.link import CRC_BYTES, END, ESCAPE, FLIP, HEAD_BYTES

_END, _ESCAPE = bytes([END]), bytes([ESCAPE])


def framed(content: bytes) -> bytes:
    """The line's bytes of a frame."""
    whole = content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")
    for special in (_ESCAPE, _END):  # in this order: what is put in is an ESCAPE too
        whole = whole.replace(special, _ESCAPE + bytes([special[0] ^ FLIP]))
    return _END + whole + _END


class Deframer:
    """Frames out of the line's bytes, however these come apart."""

    def __init__(self):
        self._part = b""

    def feed(self, data: bytes) -> list[bytes | None]:
        """The frames that end in `data`, without their CRC; None for each that is damaged."""
        *parts, self._part = (self._part + data).split(_END)
        return [_content(part) for part in parts if part]


def _content(part: bytes) -> bytes | None:
    whole, escaped = bytearray(), False
    for byte in part:
        if byte == ESCAPE:
            escaped = True
        else:
            whole.append(byte ^ FLIP if escaped else byte)
            escaped = False
    content, crc = bytes(whole[:-CRC_BYTES]), int.from_bytes(whole[-CRC_BYTES:], "little")
    return content if len(content) >= HEAD_BYTES and zlib.crc32(content) == crc else None
