"""uvicorn before an application, with the endpoint's limits."""

import sys

import uvicorn

from llama2_myhdl.host.serve.limits import Limits
from llama2_myhdl.host.serve.punctual import punctual

KEEP_ALIVE = 5  # seconds that a connection without a request stays
GRACE = 2  # seconds for answers that are under way when a signal comes


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
