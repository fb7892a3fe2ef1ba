"""A serial port, and what goes wrong with one in one line."""

import termios
from collections.abc import Iterator
from contextlib import contextmanager

import serial

POLL_SECONDS = 0.02  # how long is waited for a first byte


class BoardError(RuntimeError):
    """The board, or the way to it, does not do what it should; one line."""


class Port:
    """The port at `path`, for this program alone; BoardError when there is none, or when it goes away."""

    def __init__(self, path: str, baud: int, write_seconds: float):
        self._path, self._write_seconds = path, write_seconds
        try:
            self._port = serial.Serial(path, baud, timeout=POLL_SECONDS, write_timeout=write_seconds, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise BoardError(f"no port {path}: {_reason(error)}") from error

    @contextmanager
    def _there(self) -> Iterator[None]:
        try:
            yield
        except serial.SerialTimeoutException as error:
            raise BoardError(f"port {self._path}: takes no bytes for {self._write_seconds:g} s") from error
        except (OSError, termios.error) as error:  # an error of pyserial is an OSError
            raise BoardError(f"port {self._path}: is gone: {_reason(error)}") from error

    def receive(self) -> bytes:
        """What has come; of nothing so far, a first byte if one comes soon."""
        with self._there():
            return self._port.read(self._port.in_waiting or 1)

    def send(self, data: bytes) -> None:
        """Send bytes, or wait until there is room for them."""
        with self._there():
            self._port.write(data)

    def forget(self) -> None:
        """Drop what has come."""
        with self._there():
            self._port.reset_input_buffer()

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self._port.close()


def _reason(error: Exception) -> str:
    """The last words of a message, ahead of which pyserial repeats path and number."""
    return " ".join(str(error).split("] ")[-1].split())
