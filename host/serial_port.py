"""A serial port, and what goes wrong with one in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import serial

POLL_SECONDS = 0.02  # how long a read waits for a first byte


class BoardError(RuntimeError):
    """The board, or the way to it, does not do what it should; one line."""


@contextmanager
def open_port(path: str, baud: int, write_seconds: float) -> Iterator[serial.Serial]:
    """The port at `path`, for this program alone; BoardError when there is none, or when it goes away."""
    try:
        port = serial.Serial(
            path, baud, timeout=POLL_SECONDS, write_timeout=write_seconds, exclusive=True, xonxoff=False, rtscts=False
        )
    except (serial.SerialException, ValueError) as error:
        raise BoardError(f"no port {path}: {_reason(error)}") from error
    with port:
        try:
            yield port
        except serial.SerialTimeoutException as error:
            raise BoardError(f"port {path}: takes no bytes for {write_seconds:g} s") from error
        except serial.SerialException as error:
            raise BoardError(f"port {path}: is gone: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The last words of pyserial's message, which repeats the path and the number."""
    return " ".join(str(error).split("] ")[-1].split())
