"""Ctrl-C and SIGTERM end a command in one line, with what it has begun cleaned up."""

import signal
import sys
from collections.abc import Callable

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM


class Terminated(BaseException):
    """SIGTERM came."""


def _terminate(number, frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the clean-up is not to be interrupted
    raise Terminated


def stoppable(name: str, command: Callable[[], int]) -> int:
    """The command's exit status; 130 or 143 after one line when a signal ended it."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        return command()
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Terminated:
        print(f"\n{name}: terminated", file=sys.stderr)
        return TERMINATED
    finally:
        signal.signal(signal.SIGTERM, before)
