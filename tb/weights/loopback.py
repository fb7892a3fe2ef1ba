"""A server on the loopback for tests of downloads."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Keep the tests' output clean."""


@contextmanager
def serving(handler: type[Quiet]):
    """The server, as long as the block lasts; its port is a free one."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield http
        http.shutdown()
        thread.join()
