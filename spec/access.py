"""Why the registers of the IP block refuse an access: the field `access` of the register `error`, and what it means."""

LOCKED, NO_REGISTER, NO_ACCESS, NO_ROOM, BAD_VALUE = range(1, 6)
ACCESS_BITS = 3
ACCESS_MEANING = {
    LOCKED: "a setting written, or a start, while what it is for runs",
    NO_REGISTER: "no register at that address in this build",
    NO_ACCESS: "a write of what is only read, a read of what is only written, or a part of a word written",
    NO_ROOM: "a prompt token without a loaded model, or without room in the mailbox",
    BAD_VALUE: "a value with bits that its register does not have",
}


class AccessError(RuntimeError):
    """The bus has answered an access with an error; one line. resp: the answer, SLVERR or DECERR of `spec/axi.py`."""

    def __init__(self, what: str, address: int, resp: int):
        answer = ("OKAY", "EXOKAY", "SLVERR", "DECERR")[resp]
        super().__init__(f"{what} of register {address:#05x}: the bus answers {answer}")
        self.address, self.resp = address, resp
