"""A recording in a board's flash: what a host would send over the serial link, played when the board is switched on.

    MAGIC (4 bytes)  length (4 bytes, little-endian)  so many bytes of the line, see `spec/link.py`

The frames are numbered from 0 on.
"""

MAGIC = b"L2ST"
LENGTH_BYTES = 4
PLACE = 0x200000  # in the flash, behind any bitstream of an ECP5-85F
MOST = 0x1000000 - PLACE  # bytes, with addresses of 24 bits


def recorded(line: bytes) -> bytes:
    """The flash's bytes for those of a line; ValueError when they are none or too many."""
    most = MOST - len(MAGIC) - LENGTH_BYTES
    if not 1 <= len(line) <= most:
        raise ValueError(f"recording: must have 1 to {most:,} bytes, has {len(line):,}")
    return MAGIC + len(line).to_bytes(LENGTH_BYTES, "little") + line
