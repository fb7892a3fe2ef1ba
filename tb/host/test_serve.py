"""The endpoint before the simulated decoder: answers, streams, errors, and clients that leave."""

import json

import pytest

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.host.serve.decoders import Simulated
from llama2_myhdl.host.serve.passage import Passage
from llama2_myhdl.readers.checkpoint import random_checkpoint
from llama2_myhdl.sim.session import Session
from llama2_myhdl.spec.sampling import Sampling
from llama2_myhdl.spec.sequence import Request
from llama2_myhdl.weights.quantise import quantise_checkpoint
from llama2_myhdl.weights.tape import boot_image
from tb.host.nano import SHAPE
from tb.host.served import TOKENIZER, call, endpoint, events, head, post, raw, settled
from tb.sim.models import BUILD

WEIGHTS = quantise_checkpoint(random_checkpoint(SHAPE, seed=21), gptq=False)
MODEL = FixedModel(WEIGHTS, BUILD)
HI = TOKENIZER.encode("hi")
DRAWN = dict(prompt="hi", temperature=1.5, max_tokens=9)


@pytest.fixture(scope="module")
def port_and_machine():
    with endpoint(Simulated(Session(BUILD), (boot_image(WEIGHTS, BUILD),))) as served:
        yield served


@pytest.fixture
def port(port_and_machine):
    return port_and_machine[0]


def expected(prompt, new, stops=(), **sampling):
    """Text, reason and sampled tokens, of the integer model."""
    steps = min(len(prompt) - 1 + new, SHAPE.seq_len)
    request = Request(tuple(prompt), steps, False, Sampling(**sampling))
    passage = Passage(TOKENIZER, request, stops)
    text = ""
    for beat in MODEL.decode(request, MODEL.sampler(request)):
        text += passage.feed(beat)
        if passage.ended:
            break
    return text, passage.ended, passage.tokens


def test_models(port):
    status, _, text = call(port, "GET", "/v1/models")
    (model,) = json.loads(text)["data"]
    assert status == 200 and model == dict(id="nano", object="model", created=7, owned_by="llama2-myhdl")
    assert json.loads(call(port, "GET", "/v1/models/nano")[2]) == model
    assert call(port, "GET", "/v1/models/other")[0] == 404


def test_completion(port):
    """Greedy and drawn: what the integer model says, with its usage and the reason of its end."""
    for body, new, sampling in [
        (dict(prompt="hi", temperature=0, max_tokens=5), 5, {}),
        (dict(prompt="hi", temperature=0, max_tokens=999), 999, {}),
        (DRAWN | dict(seed=3), 9, dict(temperature=1.5, seed=3)),
        (DRAWN | dict(seed=4, top_p=0.7, model="nano"), 9, dict(temperature=1.5, seed=4, top_p=0.7)),
        (dict(prompt=HI, temperature=0), 16, {}),
    ]:
        answer = post(port, body)
        text, reason, tokens = expected(HI, new, **sampling)
        assert answer["choices"] == [dict(index=0, text=text, logprobs=None, finish_reason=reason)]
        counted = dict(prompt_tokens=3, completion_tokens=tokens, total_tokens=3 + tokens)
        assert answer["usage"] == counted and answer["object"] == "text_completion" and answer["model"] == "nano"


def test_several_prompts_and_choices(port):
    """More than there are slots; each as the integer model has it alone."""
    answer = post(port, DRAWN | dict(prompt=["hi", "a b"], n=3, seed=9))
    other = TOKENIZER.encode("a b")
    wanted = [expected(prompt, 9, temperature=1.5, seed=9, stream=k) for prompt in (HI, other) for k in range(3)]
    assert [(c["text"], c["finish_reason"]) for c in answer["choices"]] == [w[:2] for w in wanted]
    assert [c["index"] for c in answer["choices"]] == list(range(6))
    assert answer["usage"]["prompt_tokens"] == len(HI) + len(other)
    assert answer["usage"]["completion_tokens"] == sum(w[2] for w in wanted)
    assert len({w[0] for w in wanted}) > 3


def test_stream(port):
    """The same text in pieces, of several choices too."""
    body = DRAWN | dict(seed=9, n=2, stream_options=dict(include_usage=True))
    *chunks, last = events(port, body)
    for index in range(2):
        text, reason, _ = expected(HI, 9, temperature=1.5, seed=9, stream=index)
        own = [chunk["choices"][0] for chunk in chunks if chunk["choices"][0]["index"] == index]
        assert "".join(choice["text"] for choice in own) == text and len(own) > 2
        assert [choice["finish_reason"] for choice in own] == [None] * (len(own) - 1) + [reason]
    assert all(chunk["usage"] is None for chunk in chunks)
    assert (last["choices"], last["usage"]) == ([], post(port, body)["usage"])
    assert {chunk["id"] for chunk in chunks} == {last["id"]}


def test_chat(port):
    """Through the template, whole and streamed; parts of text are put together."""
    messages = [dict(role="system", content="a"), dict(role="user", content=[dict(type="text", text=t) for t in "bc"])]
    body = dict(messages=messages, temperature=0, max_completion_tokens=6)
    text, reason, _ = expected(TOKENIZER.encode_marked("a bc "), 6)
    answer = post(port, body, chat=True)
    (choice,) = answer["choices"]
    assert choice["message"] == dict(role="assistant", content=text) and choice["finish_reason"] == reason
    assert answer["object"] == "chat.completion"
    first, *chunks = events(port, body, chat=True)
    assert first["choices"][0]["delta"] == dict(role="assistant", content="")
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == text
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert post(port, dict(messages=messages, temperature=0), chat=True)["choices"][0]["finish_reason"] == "length"


def test_stop_texts(port, port_and_machine):
    """The answer ends before the text, also where it is spread over tokens; the slots are free again."""
    whole, _, _ = expected(HI, 14)
    for at in range(1, 6):
        stop = whole[at : at + 2]
        text, reason, tokens = expected(HI, 14, (stop,))
        body = dict(prompt="hi", temperature=0, max_tokens=14, stop=["?", stop])
        answer = post(port, body)
        assert answer["choices"][0] == dict(index=0, text=text, logprobs=None, finish_reason="stop")
        assert reason == "stop" and text == whole[: whole.index(stop)] and stop not in text
        assert answer["usage"]["completion_tokens"] == tokens
        assert "".join(chunk["choices"][0]["text"] for chunk in events(port, body)) == text
    settled(port_and_machine[1])


def said(new, stops=(), **sampling):
    """Texts and log-probabilities of the answer's tokens, of the integer model, whose beats have them in F."""
    request = Request(tuple(HI), min(len(HI) - 1 + new, SHAPE.seq_len), False, Sampling(**sampling), logprobs=True)
    beats = [beat for beat in MODEL.decode(request, MODEL.sampler(request)) if beat.sampled]
    whole, _, count = expected(HI, new, stops, **sampling)
    texts, at = [TOKENIZER.decode(0, beat.token).decode() for beat in beats], 0
    for k, text in enumerate(texts):
        if at >= len(whole):
            return texts[:k], [beat.logprob / 2**20 for beat in beats[:k]]
        at += len(text)
    return texts, [beat.logprob / 2**20 for beat in beats]


@pytest.mark.parametrize("sampling", [dict(temperature=0), dict(temperature=1.5, seed=3, top_p=0.7)])
def test_logprobs(port, sampling):
    """Of each token, whole and streamed, as the integer model has them; cut off with the text behind a stop text."""
    drawn = {} if not sampling["temperature"] else sampling
    whole = expected(HI, 9, **drawn)[0]
    for stops in [(), (whole[3:5],)]:
        texts, logprobs = said(9, stops, **drawn)
        assert len(texts) > 1 and max(logprobs) < 0
        body = dict(prompt="hi", max_tokens=9, logprobs=0, stop=list(stops)) | sampling
        (choice,) = post(port, body)["choices"]
        offsets = [len("".join(texts[:k])) for k in range(len(texts))]
        found = choice["logprobs"]
        assert found == dict(tokens=texts, token_logprobs=logprobs, text_offset=offsets, top_logprobs=None)
        pieces = [chunk["choices"][0]["logprobs"] for chunk in events(port, body)]
        assert [p for piece in pieces for p in piece["token_logprobs"]] == logprobs
        assert [p for piece in pieces for p in piece["text_offset"]] == offsets


def test_logprobs_of_a_conversation(port):
    body = dict(messages=[dict(role="user", content="hi")], temperature=0, max_tokens=5)
    (plain,) = post(port, body | dict(logprobs=False), chat=True)["choices"]
    (choice,) = post(port, body | dict(logprobs=True), chat=True)["choices"]
    tokens = choice["logprobs"]["content"]
    assert plain == choice | dict(logprobs=None)
    assert "".join(token["token"] for token in tokens) == choice["message"]["content"] and len(tokens) > 1
    assert all(token["logprob"] < 0 and bytes(token["bytes"]).decode() == token["token"] for token in tokens)
    assert post(port, body | dict(logprobs=True, top_logprobs=3), True, 400)["code"] == "unsupported"


@pytest.mark.parametrize(
    "body, words, param",
    [
        (b"{", "not JSON", None),
        (b"\xff{}", "not JSON", None),
        (b"[" * 100000, "not JSON", None),
        (b'{"prompt": "\\ud800"}', "not JSON", None),
        (b"[]", "the body must be a JSON object", None),
        (b"", "not JSON", None),
        (dict(), "prompt: is missing", "prompt"),
        (dict(prompt=7), "prompt: input should be a valid string, is 7", "prompt"),
        (dict(prompt=[]), "prompt: must not be an empty list", "prompt"),
        (dict(prompt=[[]]), "prompt: must have at least one token", "prompt"),
        (dict(prompt=[32]), "prompt: tokens must be 0 to 31, one is 32", "prompt"),
        (dict(prompt="é"), "prompt: text: no token for byte", "prompt"),
        (dict(prompt=17 * [4]), "prompt: must have at most 16 tokens, the model's context, has 17", "prompt"),
        (dict(prompt="hi", max_tokens=0), "max_tokens: input should be greater than or equal to 1, is 0", "max_tokens"),
        (dict(prompt="hi", max_tokens="9"), "max_tokens: input should be a valid integer", "max_tokens"),
        (dict(prompt="hi", max_tokens=True), "max_tokens: input should be a valid integer", "max_tokens"),
        (dict(prompt="hi", temperature=0.001), "temperature must be 0 (greedy) or 0.015625 to 1024", "temperature"),
        (b'{"prompt": "hi", "temperature": NaN}', "temperature: input should be a finite number", "temperature"),
        (dict(prompt="hi", top_p=1.5), "top_p must be 0 to 1, is 1.5", "top_p"),
        (dict(prompt="hi", top_k=9), "top_k: must be at most 8 in this build, is 9", "top_k"),
        (dict(prompt="hi", seed=-1), "seed must be a whole number from 0 to 4294967295, is -1", "seed"),
        (dict(prompt="hi", stop=""), "stop: must not be an empty text", "stop"),
        (dict(prompt="hi", stop=list("abcde")), "stop: must be at most 4 texts, are 5", "stop"),
        (dict(prompt="hi", n=129), "n: input should be less than or equal to 128, is 129", "n"),
        (dict(prompt=["hi"] * 40, n=2), "n: at most 68 choices at once, 80 are asked for", "n"),
        (dict(prompt="hi", logprobs=2), "logprobs: no token but the chosen one has one", "logprobs"),
        (dict(prompt="hi", logprobs=True), "logprobs: input should be a valid integer, is True", "logprobs"),
        (dict(prompt="hi", presence_penalty=0.5), "presence_penalty: not to be had", "presence_penalty"),
        (dict(prompt="hi", max_token=4), "'max_token': no field of this request", "max_token"),
    ],
)
def test_bad_requests_are_one_line(port, body, words, param):
    error = post(port, body, status=400)
    assert error["message"].startswith(words) or words == "not JSON" and words in error["message"]
    assert error["param"] == param and error["type"] == "invalid_request_error" and "\n" not in error["message"]


def test_fields_that_ask_for_nothing_are_taken(port):
    quiet = dict(presence_penalty=0.0, logit_bias={}, echo=False, best_of=1, suffix=None, user="x", stop=None, n=None)
    assert post(port, dict(prompt="hi", temperature=0) | quiet)["choices"][0]["text"] == expected(HI, 16)[0]


def test_bad_conversations(port):
    message = dict(role="user", content="hi")
    picture = dict(role="user", content=[dict(type="image_url", image_url=dict(url="x"))])
    for messages, words in [([], "messages: "), ([dict(role="user")], "messages.0.content: is missing"),
                            ([picture], "messages: the model reads text alone, a part is 'image_url'"),
                            ([message | dict(tool_calls=[1])], "tool_calls: not to be had")]:  # fmt: skip
        assert post(port, dict(messages=messages), chat=True, status=400)["message"].startswith(words)
    back = dict(role="assistant", content="h", refusal=None, tool_calls=[])
    assert post(port, dict(messages=[message, back], max_tokens=1), chat=True)["usage"]["completion_tokens"] == 1


def test_other_refusals(port):
    """Model, path, method and type of body."""
    assert post(port, dict(prompt="hi", model="gpt"), status=404)["code"] == "model_not_found"
    for method, path, kind, status in [("GET", "/v1/none", "application/json", 404),
                                       ("GET", "/v1/completions", "application/json", 405),
                                       ("POST", "/v1/completions", "text/plain", 415)]:  # fmt: skip
        found, _, text = call(port, method, path, b"{}", content_type=kind)
        assert found == status and set(json.loads(text)["error"]) == {"message", "type", "param", "code"}


def test_a_client_that_leaves_frees_its_slots(port_and_machine):
    """In the midst of a stream, before its answer, while it waits in line; the next one gets what it would alone."""
    port, machine = port_and_machine
    for stream in (True, False):
        body = json.dumps(DRAWN | dict(prompt="hi", n=12, seed=1, stream=stream)).encode()
        client = raw(port, head(len(body)) + body)
        assert not stream or client.recv(10) == b"HTTP/1.1 2"
        client.close()
        settled(machine)
        assert post(port, DRAWN | dict(seed=3))["choices"][0]["text"] == expected(HI, 9, temperature=1.5, seed=3)[0]
