"""The endpoint's limits, and a decoder that fails: before one that only pretends, and says the same token for ever."""

import json
import socket
import threading
import time

import pytest

from llama2_myhdl.host.serve import app
from llama2_myhdl.host.serve.decoders import OnBoard
from llama2_myhdl.host.serve.machine import Broken, Machine, Ticket
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.spec.stops import GOES_ON, STOP_STEPS
from tb.host.nano import PIECES
from tb.host.served import SECONDS, call, endpoint, head, post, raw, settled

TOKEN = PIECES.index(b"i")
BODY = dict(prompt="hi", temperature=0, max_tokens=4)
ENDLESS = 1 << 20


def beats(request):
    """A pretended sequence."""
    for pos in range(request.steps):
        stop = STOP_STEPS if pos + 1 == request.steps else GOES_ON
        yield Beat(TOKEN, pos, True, pos + 1 >= len(request.prompt), stop)


class Pretended:
    """Two slots; stands still until `go` is set; `fault` is raised in place of beats."""

    slots, entries = 2, 8

    def __init__(self, goes=True):
        self.go, self.running, self.restarts, self.fault, self.seen, self.pause = threading.Event(), {}, 0, None, [], 0
        if goes:
            self.go.set()

    def restart(self):
        self.running.clear()
        self.restarts += 1

    def start(self, slot, request):
        assert slot not in self.running
        self.running[slot] = beats(request)
        self.seen.append(request)

    def advance(self):
        assert self.go.wait(SECONDS)
        if self.fault:
            raise self.fault
        time.sleep(self.pause)
        found = [(slot, next(story)) for slot, story in self.running.items()]
        for slot, beat in found:
            if beat.last:
                del self.running[slot]
        return found

    def close(self):
        self.running = None


@pytest.fixture
def decoder():
    found = Pretended()
    yield found
    found.go.set()


def test_a_full_queue_is_refused_and_empties(decoder):
    """Two sequences run, one waits; the next one gets 429, and nothing of it stays."""
    decoder.go.clear()
    body = json.dumps(BODY | dict(n=3)).encode()
    with endpoint(decoder, queue=1) as (port, machine):
        client = raw(port, head(len(body)) + body)
        while machine.load != (2, 1):
            pass
        status, headers, text = call(port, "POST", "/v1/completions", BODY)
        error = json.loads(text)["error"]
        assert (status, headers["retry-after"], error["code"]) == (429, "1", "queue_full")
        assert error["type"] == "rate_limit_error" and "1 sequences wait already, 1 may" in error["message"]
        decoder.go.set()
        assert client.recv(12) == b"HTTP/1.1 200"
        settled(machine)
        assert post(port, BODY)["choices"][0]["text"] == "iiii" and len(decoder.seen) == 4
        client.close()


def test_an_answer_that_takes_too_long(decoder):
    """504; in a stream, whose status has been sent, an event. Its slots are free behind one restart."""
    decoder.go.clear()
    with endpoint(decoder, timeout=2) as (port, machine):
        error = post(port, BODY, status=504)
        assert error["code"] == "timeout" and error["message"] == "the answer takes longer than 2 s"
        status, _, text = call(port, "POST", "/v1/completions", BODY | dict(stream=True))
        assert status == 200 and json.loads(text.strip().removeprefix("data: "))["error"]["code"] == "timeout"
        decoder.go.set()
        settled(machine)
        assert post(port, BODY)["choices"][0]["text"] == "iiii"


def test_a_body_that_is_too_long(decoder):
    with endpoint(decoder, body=1000) as (port, _):
        for length in (1001, 900000):
            error = post(port, b" " * length, status=413)
            assert error["message"] == "the body must have at most 1000 bytes, has more"
        chunked = "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        chunked += "transfer-encoding: chunked\r\n\r\n" + 3 * f"190\r\n{400 * ' '}\r\n" + "0\r\n\r\n"
        with raw(port, chunked.encode()) as client:
            assert client.recv(12) == b"HTTP/1.1 413"
        fits = json.dumps(BODY).encode()
        assert post(port, fits + b" " * (1000 - len(fits)))["usage"]["completion_tokens"] == 4


def test_an_endless_body_is_cut_off(decoder, monkeypatch):
    monkeypatch.setattr(app, "DISCARDED", 100000)
    with endpoint(decoder, body=1000) as (port, _), raw(port, head(1 << 40)) as client:
        with pytest.raises(OSError):  # noqa: PT012
            while True:
                client.sendall(bytes(65536))
        assert post(port, BODY)["choices"][0]["text"] == "iiii"


@pytest.mark.parametrize("data", [b"", b"POST /v1/comp", head(50)[:-2], head(50), head(50) + b"{"])
def test_a_client_that_sends_slowly(decoder, data):
    """Head or body do not come: 408, and the connection ends."""
    with endpoint(decoder, head_seconds=1, body_seconds=1) as (port, _), raw(port, data) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 408")
        while client.recv(1000):
            pass
        assert post(port, BODY)["choices"][0]["text"] == "iiii"


def test_broken_clients(decoder):
    """What is no HTTP, a body that ends early, half a head; the server goes on."""
    with endpoint(decoder) as (port, machine):
        with raw(port, b"\x16\x03\x01\x00\xff hello\r\n\r\n") as client:
            assert client.recv(12) == b"HTTP/1.1 400"
        for data in (head(50) + b"{", b"POST /", head(50)[:-2], head(50)):
            raw(port, data).close()
        assert post(port, BODY)["choices"][0]["text"] == "iiii"
        settled(machine)


def test_a_client_that_does_not_read(decoder, monkeypatch, caplog):
    """Its stream stops when what lies between is full, and its connection when its time is up; others go on."""
    monkeypatch.setattr(app, "UNREAD_SECONDS", 0.1)
    decoder.pause = 0.0003  # seconds a token: soon more than what lies between holds
    body = json.dumps(BODY | dict(stream=True, max_tokens=ENDLESS)).encode()
    with endpoint(decoder, context=ENDLESS, timeout=2) as (port, machine), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", port))
        client.sendall(head(len(body)) + body)
        assert post(port, BODY)["choices"][0]["text"] == "iiii"
        settled(machine)
        received = b""
        while data := client.recv(1 << 16):
            received += data
        assert received.startswith(b"HTTP/1.1 200") and b"data: " in received
        assert b"[DONE]" not in received and b'"error"' not in received  # there was no room for it
        assert not caplog.records
        assert post(port, BODY)["choices"][0]["text"] == "iiii"


def test_a_decoder_that_fails(decoder):
    """Who waits for it and who comes later are told."""
    decoder.go.clear()
    decoder.fault = SimulationError("no token for 7 cycles")
    body = json.dumps(BODY).encode()
    with endpoint(decoder) as (port, machine):
        client = raw(port, head(len(body)) + body)
        while not sum(machine.load):
            pass
        decoder.go.set()
        assert client.recv(12) == b"HTTP/1.1 503"
        client.close()
        error = post(port, BODY, status=503)
        assert error["message"] == "the decoder has failed: no token for 7 cycles" and error["type"] == "server_error"
    assert decoder.running is None


def told(machine, request, count):
    """A ticket, once it has had so many beats."""
    news, enough = [], threading.Event()

    def tell(beat):
        news.append(beat)
        if len(news) >= count:
            enough.set()

    ticket = Ticket(request, tell)
    machine.submit([ticket])
    assert enough.wait(SECONDS)
    return ticket, news


def test_slots_of_those_who_have_left(decoder):
    """One runs on beside another that is wanted; when nobody wants any, a restart frees them all."""
    machine = Machine(decoder, 4)
    endless, short = Request((1,), ENDLESS, False), Request((1,), 5, False)
    left, _ = told(machine, endless, 3)
    other, _ = told(machine, endless, 3)
    machine.give_up([left])
    assert machine.load == (1, 0) and decoder.restarts == 0
    machine.give_up([other])
    for _ in range(3):
        _, news = told(machine, short, 5)
        assert news == list(beats(short))
    assert decoder.restarts == 1
    machine.stop()
    with pytest.raises(Broken, match="stopped"):
        machine.submit([left])


class Board:
    """Tells a story when it is asked. told: beats, of all stories."""

    told = 0

    def tell(self, prompt, steps, score):
        for beat in beats(Request(tuple(prompt), steps, score)):
            self.told += 1
            yield beat


def test_a_board():
    """One slot, greedy only; what somebody has left is told to its end before the next."""
    board = Board()
    with endpoint(OnBoard(board)) as (port, machine):
        error = post(port, BODY | dict(temperature=0.7), status=400)
        assert (error["param"], error["code"]) == ("temperature", "unsupported")
        answer = post(port, dict(prompt="hi", max_tokens=4, n=2))
        assert [choice["text"] for choice in answer["choices"]] == ["iiii", "iiii"]
        body = json.dumps(dict(prompt="hi", stop="ii", max_tokens=9)).encode()
        assert post(port, body)["choices"][0] == dict(index=0, text="", logprobs=None, finish_reason="stop")
        settled(machine)
        assert post(port, BODY)["choices"][0]["text"] == "iiii"
        assert board.told == 6 + 6 + 11 + 6
