"""The endpoint before the nano build with four slots, in this process, and clients of it, for tests."""

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

from llama2_myhdl.host.serve.app import Endpoint
from llama2_myhdl.host.serve.asks import Asks
from llama2_myhdl.host.serve.bound import bound
from llama2_myhdl.host.serve.limits import Limits
from llama2_myhdl.host.serve.listening import server
from llama2_myhdl.host.serve.machine import Machine
from llama2_myhdl.readers.chat import ChatTemplate
from llama2_myhdl.readers.tokenizer import Tokenizer
from tb.host.nano import PIECES, SHAPE

TOKENIZER = Tokenizer(tuple(PIECES), tuple(float(len(piece)) for piece in PIECES))
TALKS = replace(TOKENIZER, template=ChatTemplate("{% for m in messages %}{{ m.content }} {% endfor %}", {}))
SECONDS = 60  # that a client waits: a test that hangs ends


@contextmanager
def endpoint(decoder, tokenizer=TALKS, context=SHAPE.seq_len, **limits):
    """A server before a decoder; gives (port, machine). The machine is stopped behind it."""
    bounds = Limits(**limits)
    machine = Machine(decoder, bounds.queue)
    asks = Asks("nano", tokenizer, context, SHAPE.vocab_size, decoder.entries, (), machine.most)
    running = server(Endpoint(asks, machine, bounds, created=7).app(), bounds)
    listener = bound("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # of its connections: soon full where nobody reads
    thread = threading.Thread(target=running.run, kwargs=dict(sockets=[listener]))
    thread.start()
    try:
        yield listener.getsockname()[1], machine
    finally:
        running.should_exit = True
        thread.join()
        listener.close()
        machine.stop()


def call(port: int, method: str, path: str, body: bytes | dict | None = None, **headers) -> tuple[int, dict, str]:
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        given = {"content-type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()}
        connection.request(method, path, data, given)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def post(port: int, body: bytes | dict, chat: bool = False, status: int = 200) -> dict:
    """The answer, or with another status the error, of a request."""
    found, _, text = call(port, "POST", "/v1/chat/completions" if chat else "/v1/completions", body)
    assert found == status, text
    return json.loads(text) if status == 200 else json.loads(text)["error"]


def events(port: int, body: dict, chat: bool = False) -> list[dict]:
    """The chunks of a streamed answer, which must end as it should."""
    path = "/v1/chat/completions" if chat else "/v1/completions"
    status, headers, text = call(port, "POST", path, body | dict(stream=True))
    assert status == 200 and headers["content-type"].startswith("text/event-stream"), text
    *lines, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "") and all(line.startswith("data: ") for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def settled(machine: Machine) -> None:
    """Wait until nothing runs or waits that somebody wants: the machine notices by itself."""
    deadline = time.monotonic() + SECONDS
    while machine.load != (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert machine.load == (0, 0)


def raw(port: int, data: bytes) -> socket.socket:
    """A connection over which some bytes have been sent."""
    client = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    client.sendall(data)
    return client


def head(length: int, path: str = "/v1/completions") -> bytes:
    """Of a request with a body of so many bytes."""
    lines = [f"POST {path} HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()
