"""The serial link between a board and its host: frames, kinds, bodies; for the RTL, the host and the testbenches.

A frame on the line, the bytes between two END ones (8 data bits, no parity, one stop bit, least significant bit first):

    kind  number  body (BODY_BYTES, of an image up to BLOCK_BYTES)  CRC-32 of all before it (4 bytes)

END and ESCAPE within a frame are sent as ESCAPE and the byte XOR FLIP, as in HDLC and PPP: an END is always the end of
a frame, so whatever was lost or damaged, the next frame is found; nothing must be known ahead, so hardware needs no
buffer to send, and weights hardly ever hold these two bytes. All numbers are little-endian.

The host numbers its frames modulo 256. The board carries out the frames that are whole, have the number it waits for
and come in turn, each with one answer: GREETING to HELLO, VALUE to READ, ANSWER to all others and to frames that are
not carried out. `number` of every frame of the board is the number that it waits for, so an answer stands for all
frames before it too. Frames behind one that is lost or damaged are refused (`RESEND`), and the host goes back to it.
"""

from dataclasses import fields, replace

from llama2_myhdl.spec.config import BuildConfig, ConfigError

VERSION = 1

END, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
CRC_POLYNOMIAL, CRC_START, CRC_BYTES = 0xEDB88320, 0xFFFFFFFF, 4  # of zlib.crc32
CRC_RESIDUE = 0xDEBB20E3  # what the register holds behind a frame with its CRC
HEAD_BYTES, BODY_BYTES, BLOCK_BYTES = 2, 8, 256
NUMBER_BITS = 8

# frames of the host
HELLO = 0x01  # find each other: taken whatever its number, which counts on from here
BEGIN = 0x02  # reset the decoder, an image follows
IMAGE = 0x03  # the next bytes of the boot image
IMAGE_END = 0x04  # the same, and its last ones
PROMPT = 0x05  # a prompt token
CLEAR = 0x06  # clear the error code of a bad prompt
READ = 0x07  # a counter, or a value of the build
# frames of the board
GREETING, ANSWER, VALUE = 0x81, 0x82, 0x83  # the answers
TOKEN = 0x84  # a beat of the token stream
STATUS = 0x85  # `loaded` or `error` has changed

# `reason` of an ANSWER
DONE, DAMAGED, OUT_OF_TURN, NOT_LOADING, NOT_LOADED, MALFORMED = range(6)
RESEND = (DAMAGED, OUT_OF_TURN)  # not carried out, the number is still waited for; the others were refused for good
REASONS = {
    DAMAGED: "a frame with a bad CRC, too short or too long",
    OUT_OF_TURN: "a frame with another number than the one that is waited for",
    NOT_LOADING: "bytes of an image without BEGIN, or behind the image's end",
    NOT_LOADED: "a prompt without a loaded model",
    MALFORMED: "a frame of unknown kind or of another length than its kind has",
}

# bodies: (name, first bit, bits)
BODIES = {
    PROMPT: (("token", 0, 24), ("steps", 24, 24), ("seq", 48, 8), ("score", 56, 1), ("last", 57, 1)),
    READ: (("select", 0, 8), ("station", 8, 8)),
    GREETING: (("version", 0, 8), ("loaded", 8, 1), ("error", 16, 8), ("values", 24, 8), ("digest", 32, 32)),
    ANSWER: (("reason", 0, 8),),
    VALUE: (("select", 0, 8), ("station", 8, 8), ("value", 16, 48)),
    TOKEN: (
        *(("token", 0, 24), ("pos", 24, 24), ("seq", 48, 8)),
        *(("scored", 56, 1), ("sampled", 57, 1), ("last", 58, 1), ("stop", 59, 3)),
    ),
    STATUS: (("loaded", 0, 1), ("error", 8, 8)),
}

# `select` of READ: a counter of `spec/counters.py` below CYCLES, the cycles since the image was loaded, from LIMITS on
# the build's numbers in the order of DESCRIBED
CYCLES, LIMITS = 0x3F, 0x40
DESCRIBED = tuple(field.name for field in fields(BuildConfig) if field.type in (int, "int"))


def on_board(build: BuildConfig) -> BuildConfig:
    """The build as a board has it: no frame carries a sampler's settings, so there is none.

    ConfigError when its weights or its embedding are in memory: a board of this project has no bus.
    """
    if build.buses:
        raise ConfigError("board: must have the weights on the chip, this build has them in memory behind a bus")
    return replace(build, list_entries=0)


def packed(kind: int, **values: int) -> bytes:
    """The body of a frame; all of the kind's fields, each within its bits."""
    layout, body = BODIES.get(kind, ()), 0
    if values.keys() != {name for name, _, _ in layout}:
        raise ValueError(f"fields {sorted(values)}, expected {sorted(name for name, _, _ in layout)}")
    for name, low, bits in layout:
        if not 0 <= values[name] < 1 << bits:
            raise ValueError(f"{name}: must be 0 to {(1 << bits) - 1}, is {values[name]}")
        body |= values[name] << low
    return body.to_bytes(BODY_BYTES, "little")


def unpacked(kind: int, body: bytes) -> dict[str, int]:
    """The fields of a body by name."""
    number = int.from_bytes(body, "little")
    return {name: number >> low & (1 << bits) - 1 for name, low, bits in BODIES.get(kind, ())}


def slices(kind: int) -> dict[str, tuple[int, int]]:
    """(high, low) of each field, as MyHDL slices a body."""
    return {name: (low + bits, low) for name, low, bits in BODIES[kind]}
