"""A page and its recording, shown to this machine alone."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


class Server(ThreadingHTTPServer):
    """Serves what it was given and nothing else. files: {path: (kind, content)}; port 0: any that is free.

    OSError when the port cannot be had.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, files: dict[str, tuple[str, bytes]]):
        self.files = files
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise type(error)(f"port {port}: cannot be listened at: {error.strerror}") from error

    @property
    def address(self) -> str:
        """Of its first page."""
        return f"http://{HOST}:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.server.files.get(self.path)
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind, content = found
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing: the terminal has the story."""
