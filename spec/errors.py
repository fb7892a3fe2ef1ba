"""Error codes of the hardware's sticky error register (0: none), and what they mean."""

NONE, BAD_IMAGE, BAD_SHAPE, BAD_LENGTH, BAD_CHECKSUM, BAD_TOKEN, TOO_LONG, BAD_SETTINGS = range(8)
ERROR_BITS = 3
BAD_WINDOW, SLAVE_ERROR, DECODE_ERROR = range(8, 11)  # of builds that read memory behind a bus
WRITE_SLAVE_ERROR, WRITE_DECODE_ERROR = range(11, 13)  # of builds that write it
BUS_ERRORS = (BAD_WINDOW, SLAVE_ERROR, DECODE_ERROR, WRITE_SLAVE_ERROR, WRITE_DECODE_ERROR)
BUS_ERROR_BITS = 4  # of the register of such a build

MEANING = {
    BAD_IMAGE: "boot image of another magic, version, lane count, hidden block or number of engines",
    BAD_SHAPE: "model shape outside this build's limits",
    BAD_LENGTH: "boot image shorter or longer than its registers say",
    BAD_CHECKSUM: "boot image does not match its checksum",
    BAD_TOKEN: "token id outside the vocabulary",
    TOO_LONG: "prompt longer than the context",
    BAD_SETTINGS: "settings of a sequence's sampler that this build does not have",
    BAD_WINDOW: "boot image, tape, embedding or cache in memory misaligned, empty or beyond the last address",
    SLAVE_ERROR: "memory answered a read with SLVERR",
    DECODE_ERROR: "memory answered a read with DECERR: there is none at that address",
    WRITE_SLAVE_ERROR: "memory answered a write with SLVERR",
    WRITE_DECODE_ERROR: "memory answered a write with DECERR: there is none at that address",
}
