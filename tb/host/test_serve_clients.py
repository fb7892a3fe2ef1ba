"""The command before 200 requests of eight clients, beside broken ones; and OpenAI's own client."""

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tb.host.nano import options_of
from tb.host.served import call, events, head, post, raw

pytestmark = pytest.mark.clients
CLIENTS, REQUESTS, KINDS = 8, 200, 40
GROWTH = 8 << 20  # bytes of memory that 400 requests may add to those behind the first 200
ROUNDS = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port and the process of the command, with four slots on the nano build."""
    command = [sys.executable, "-m", "llama2_myhdl.host.serve.command", *options_of(tmp_path_factory.mktemp("nano"))]
    process = subprocess.Popen([*command, "--slots=4", "--port=0", "--name=nano"], stderr=subprocess.PIPE, text=True)
    url = next(line for line in process.stderr if line.startswith("http://"))
    yield int(url.rpartition(":")[2].split("/")[0]), process
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    said = process.stderr.read().split("\n")[:-1]
    assert said[-1] == "serve: terminated" and set(said[:-1]) <= {"", "WARNING:  Invalid HTTP request received."}


def bodies():
    """Different requests: greedy and drawn, with stop texts, several choices, streamed."""
    rng = random.Random(5)
    for kind in range(KINDS):
        body = dict(prompt="".join(rng.choices("hi abc", k=rng.randrange(8))), max_tokens=rng.randrange(1, 16))
        body |= dict(temperature=rng.choice([0, 0.7, 1.5]), seed=kind, n=rng.choice([1, 1, 2]))
        if rng.random() < 0.3:
            body |= dict(stop=rng.choice(["a", "h", "bc"]), top_p=0.9)
        yield body, rng.random() < 0.5


def answer(port, body, stream):
    """Texts and reasons by choice, whichever way it comes."""
    if not stream:
        found = post(port, body)
        return [(choice["text"], choice["finish_reason"]) for choice in found["choices"]]
    choices = [chunk["choices"][0] for chunk in events(port, body)]
    own = [[choice for choice in choices if choice["index"] == k] for k in range(body["n"])]
    return [("".join(choice["text"] for choice in parts), parts[-1]["finish_reason"]) for parts in own]


def disturb(port, number):
    """A client of a bad kind."""
    long = json.dumps(dict(prompt="hi", max_tokens=16, n=4, stream=number % 2 == 0)).encode()
    kinds = [head(len(long)) + long, head(99) + b"{", b"\x00\r\n\r\n", b"GET /v1/models HT"]
    with raw(port, kinds[number % len(kinds)]) as client:
        if number % len(kinds) == 0:
            client.recv(1) if number % 8 == 0 else time.sleep(0.01)  # in mid-stream, and before the answer
    wrong = [b"{", b"[" * 9999, b" " * (300 << 10), json.dumps(dict(prompt="hi", n=0)).encode()][number % 4]
    assert call(port, "POST", "/v1/completions", wrong)[0] in (400, 413)


def resident(process) -> int:
    """Bytes of memory of a process."""
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


def test_every_answer_is_that_of_a_request_alone(server):
    """200 requests of eight clients at once, then 400 more; each a slot's, beside others and beside broken clients."""
    port, process = server
    kinds = list(bodies())
    alone = [answer(port, *kind) for kind in kinds]
    assert len({text for choices in alone for text, _ in choices}) > KINDS // 2
    assert {reason for choices in alone for _, reason in choices} == {"stop", "length"}
    memory = []
    for round_ in range(1 + ROUNDS):
        order = random.Random(round_).choices(range(KINDS), k=REQUESTS)
        with ThreadPoolExecutor(CLIENTS) as clients, ThreadPoolExecutor(1) as broken:
            bad = [broken.submit(disturb, port, number) for number in range(REQUESTS // 10)]
            found = list(clients.map(lambda kind: answer(port, *kinds[kind]), order))
            assert all(one.result() is None for one in bad)
        assert found == [alone[kind] for kind in order]
        memory.append(resident(process))
    assert memory[-1] - memory[0] < GROWTH, memory
    print("resident MiB:", [size >> 20 for size in memory])


def test_openai_client(server):
    """Models, completions and chats, whole and streamed, and errors, as the package `openai` reads them."""
    import openai  # the extra `clients`; it takes seconds to load

    port, _ = server
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["nano"]
        assert client.models.retrieve("nano").owned_by == "llama2-myhdl"
        asked = dict(model="nano", temperature=1.2, seed=5, max_tokens=8)
        whole = client.completions.create(prompt="hi", n=2, stop=["q"], **asked)
        ((plain, _), _) = answer(port, dict(prompt="hi", n=2, stop=["q"], **asked), False)
        assert whole.choices[0].text == plain and whole.usage.prompt_tokens == 3
        pieces = list(client.completions.create(prompt="hi", stop="q", stream=True, **asked))
        assert "".join(piece.choices[0].text for piece in pieces) == plain
        messages = [dict(role="user", content="hi")]
        chat = client.chat.completions.create(messages=messages, **asked)
        assert chat.choices[0].message.role == "assistant" and chat.choices[0].finish_reason in ("stop", "length")
        again = [chat.choices[0].message, *messages]
        assert client.chat.completions.create(messages=again, model="nano", max_tokens=1).usage.completion_tokens == 1
        options = dict(stream=True, stream_options=dict(include_usage=True))
        *chunks, last = client.chat.completions.create(messages=messages, **asked, **options)
        said = "".join(chunk.choices[0].delta.content for chunk in chunks)
        assert said == chat.choices[0].message.content and last.usage == chat.usage
        with client.chat.completions.create(messages=messages, stream=True, **asked) as stream:
            assert next(iter(stream)).choices[0].delta.role == "assistant"  # and left
        with pytest.raises(openai.BadRequestError, match="logprobs: not to be had") as refused:
            client.chat.completions.create(messages=messages, logprobs=True, **asked)
        assert (refused.value.param, refused.value.code) == ("logprobs", "unsupported")
        with pytest.raises(openai.NotFoundError, match="model: must be 'nano', is 'gpt-4o'"):
            client.completions.create(model="gpt-4o", prompt="hi")
        with pytest.raises(openai.BadRequestError, match="context"):
            client.completions.create(model="nano", prompt=[4] * 17)
