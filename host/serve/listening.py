"""uvicorn before an application, with the endpoint's limits."""

import socket
import sys

import uvicorn

from llama2_myhdl.host.serve.limits import Limits
from llama2_myhdl.host.serve.punctual import punctual

KEEP_ALIVE = 5  # seconds that a connection without a request stays
GRACE = 2  # seconds for answers that are under way when a signal comes
BACKLOG = 128


class _Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets=None):
        await super().startup(sockets)
        host, port = sockets[0].getsockname()[:2]
        print(f"http://{f'[{host}]' if ':' in host else host}:{port}/v1", file=sys.stderr, flush=True)


def server(app, limits: Limits) -> uvicorn.Server:
    """For `run(sockets=..)`, with one that is bound."""
    settings = dict(limit_concurrency=limits.connections, timeout_keep_alive=KEEP_ALIVE,
                    timeout_graceful_shutdown=GRACE)  # fmt: skip
    return _Server(uvicorn.Config(app, http=punctual(limits.head_seconds), ws="none", log_level="warning", **settings))


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address; OSError names it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OSError(f"{host}:{port}: cannot be listened at: {error.strerror}") from error


def listen(app, host: str, port: int, limits: Limits) -> None:
    """Until a signal comes, which is raised again then."""
    with bound(host, port) as listener:
        server(app, limits).run(sockets=[listener])
