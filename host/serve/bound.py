"""A socket to listen at."""

import socket

BACKLOG = 128


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address; OSError names it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OSError(f"{host}:{port}: cannot be listened at: {error.strerror}") from error
