"""How much a client may ask for, and for how long."""

from dataclasses import dataclass, fields

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.options import Parser

_MOST = 1 << 30


@dataclass(frozen=True)
class Limits:
    """queue: sequences that wait for a slot at most; body: bytes of a request's body at most; head_seconds,
    body_seconds: that a client may take to send the head and the body; timeout: seconds for an answer, its time in the
    queue included; connections: open ones at most."""

    queue: int = 64
    body: int = 256 * 1024
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    timeout: float = 600.0
    connections: int = 256

    def __post_init__(self):
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "queue" else 0.01
            if not least <= value <= _MOST:
                raise ModelError(f"{field.name}: must be {least} to {_MOST}, is {value}")


def add_options(p: Parser) -> None:
    """The options that are handed on to `Limits`."""
    d = Limits()
    p.add_argument("--queue", type=int, default=d.queue, help=f"sequences that wait for a slot at most ({d.queue})")
    p.add_argument("--body", type=int, default=d.body, help=f"bytes of a request at most ({d.body})")
    p.add_argument("--timeout", type=float, default=d.timeout,
                   help=f"seconds that an answer may take, with its time in the queue ({d.timeout:g})")  # fmt: skip
