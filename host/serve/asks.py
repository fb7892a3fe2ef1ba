"""Bodies of requests, checked: what is asked of the decoder, and of the answer's form."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.host.serve.conversation import conversation
from llama2_myhdl.host.serve.refusal import INVALID, Refusal, unsupported
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.spec.sampling import WORD_BITS, Sampling
from llama2_myhdl.spec.sequence import Request

COMPLETION_TOKENS = 16  # of a completion that does not say how many, as OpenAI has it
MOST_STOPS, MOST_CHOICES = 4, 128
SHOWN = 60  # characters of a wrong value
# what others can do and this endpoint cannot: its values that ask for nothing
LACKING = {
    "frequency_penalty": (0,), "presence_penalty": (0,), "logit_bias": ({},), "best_of": (1,),
    "echo": (False,), "suffix": ("",), "tools": ([],), "functions": ([],),
    "tool_choice": ("none", "auto"), "function_call": ("none", "auto"), "parallel_tool_calls": (False, True),
    "response_format": ({"type": "text"},), "modalities": (["text"],), "audio": (), "prediction": (),
}  # fmt: skip
IGNORED = {"user", "metadata", "store", "safety_identifier"}  # they change no answer

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _StreamOptions(_Strict):
    include_usage: bool | None = None


class _Body(_Strict):
    """What both kinds of requests have."""

    model: str | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Number | None = None
    top_p: Number | None = None
    top_k: int | None = None
    min_p: Number | None = None
    seed: int | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


class _Completion(_Body):
    prompt: str | list[int] | list[str] | list[list[int]]
    logprobs: int | None = None  # how many others beside the chosen token

    @property
    def others(self) -> int | None:
        return self.logprobs


class _Part(_Strict):
    type: str
    text: str | None = None


class _Message(_Strict):
    role: str
    content: str | list[_Part]


class _Chat(_Body):
    messages: Annotated[list[_Message], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None

    @property
    def others(self) -> int | None:
        return self.top_logprobs or 0 if self.logprobs or self.top_logprobs else None


@dataclass(frozen=True)
class Ask:
    """requests: a sequence for each choice; stops: texts that end one; prompt_tokens: of all prompts, each once;
    with_usage, with_logprobs: as for `Form`."""

    requests: tuple[Request, ...]
    stops: tuple[str, ...]
    prompt_tokens: int
    stream: bool
    with_usage: bool
    with_logprobs: bool


@dataclass(frozen=True)
class Asks:
    """Reads bodies for a model. context: positions; vocab_size: of the model; entries: of the sampler's list, 0: greedy
    only; stops: stop tokens of every sequence; most: sequences that can be asked for at once."""

    model: str
    tokenizer: TextCodec
    context: int
    vocab_size: int
    entries: int
    stops: tuple[int, ...]
    most: int

    def completion(self, data: bytes) -> Ask:
        """Of a text. Raises Refusal."""
        body = _checked(_Completion, data)
        prompts = body.prompt if isinstance(body.prompt, list) else [body.prompt]
        if not prompts:
            raise Refusal(400, "prompt: must not be an empty list", "prompt")
        if isinstance(prompts[0], int):
            prompts = [prompts]
        tokens = [self._tokens(prompt) for prompt in prompts]
        return self._ask(body, tokens, body.max_tokens or COMPLETION_TOKENS)

    def chat(self, data: bytes) -> Ask:
        """Of a conversation. Raises Refusal."""
        body = _checked(_Chat, data)
        messages = [dict(role=message.role, content=_text(message)) for message in body.messages]
        try:
            tokens = conversation(self.tokenizer, messages)
        except ModelError as error:
            raise Refusal(400, f"messages: {error}", "messages") from error
        return self._ask(body, [tokens], body.max_completion_tokens or body.max_tokens or self.context, "messages")

    def _tokens(self, prompt: str | list[int]) -> list[int]:
        if isinstance(prompt, str):
            try:
                return self.tokenizer.encode(prompt)
            except ModelError as error:
                raise Refusal(400, f"prompt: {error}", "prompt") from error
        if not prompt:
            raise Refusal(400, "prompt: must have at least one token, has none", "prompt")
        if wrong := [token for token in prompt if not 0 <= token < self.vocab_size]:
            message = f"prompt: tokens must be 0 to {self.vocab_size - 1}, one is {_shown(wrong[0])}"
            raise Refusal(400, message, "prompt")
        return prompt

    def _ask(self, body: _Body, prompts: list[list[int]], new: int, name: str = "prompt") -> Ask:
        if body.model not in (None, self.model):
            raise Refusal(404, f"model: must be {self.model!r}, is {_shown(body.model)}", "model", "model_not_found")
        choices = body.n or 1
        if len(prompts) * choices > self.most:
            raise Refusal(400, f"n: at most {self.most} choices at once, {len(prompts) * choices} are asked for", "n")
        longest = max(map(len, prompts))
        if longest > self.context:
            message = f"{name}: must have at most {self.context} tokens, the model's context, has {longest}"
            raise Refusal(400, message, name, "context_length_exceeded")
        sampling, told = [self._sampling(body, stream) for stream in range(choices)], self._with_logprobs(body)
        requests = tuple(
            Request(tuple(prompt), min(len(prompt) - 1 + new, self.context), False, chosen, self.stops, logprobs=told)
            for prompt in prompts
            for chosen in sampling
        )
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        return Ask(requests, _stops(body), sum(map(len, prompts)), bool(body.stream), with_usage, told)

    def _with_logprobs(self, body: _Body) -> bool:
        """Whether they are asked for; the hardware knows that of the chosen token alone."""
        if body.others is None:
            return False
        if body.others:
            raise unsupported("logprobs", f"no token but the chosen one has one, must be 0 others, are {body.others}")
        if not self.entries:
            raise unsupported("logprobs", "this build has no sampler, must be left out")
        return True

    def _sampling(self, body: _Body, stream: int) -> Sampling:
        """How the tokens of a choice are drawn; without a sampler all are the likeliest."""
        if not self.entries and body.temperature:
            raise unsupported("temperature", "this build has no sampler, must be 0 or left out")
        temperature = body.temperature if body.temperature is not None else 1.0
        cuts = dict(top_k=body.top_k or 0, top_p=1.0 if body.top_p is None else body.top_p, min_p=body.min_p or 0.0)
        seed = secrets.randbits(WORD_BITS) if body.seed is None else body.seed
        if self.entries and cuts["top_k"] > self.entries:
            raise Refusal(400, f"top_k: must be at most {self.entries} in this build, is {body.top_k}", "top_k")
        try:
            found = Sampling(temperature, seed=seed, stream=stream, **cuts)
        except ModelError as error:
            raise Refusal(400, str(error), str(error).partition(" ")[0]) from error
        return found if self.entries and not found.greedy else Sampling()


def _checked(kind: type[_Body], data: bytes) -> Any:
    """The body as that kind; Refusal names the first field that is wrong, is not known or not to be had."""
    try:
        body = kind.model_validate_json(data)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)[0]) from error
    inner = [body.stream_options] if body.stream_options else []
    for part in (body, *inner, *getattr(body, "messages", ())):
        for name, value in (part.model_extra or {}).items():
            _check_extra(name, value, isinstance(part, _Message))
    return body


def _check_extra(name: str, value: Any, in_message: bool) -> None:
    if value is None or name in IGNORED or in_message and value == []:  # as answers have them, which come back
        return
    if name not in LACKING and not in_message:
        raise Refusal(400, f"{_shown(name)}: no field of this request", name[:SHOWN], "unknown_parameter")
    neutral = LACKING.get(name, ())
    if not any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in neutral):
        raise unsupported(name, f"not to be had here, must be left out, is {_shown(value)}")


def _refusal(found: dict) -> Refusal:
    if found["type"] == "json_invalid":
        return Refusal(400, f"the body is not JSON: {found['ctx']['error']}", None, "invalid_json")
    place = found["loc"]
    if not place:
        return Refusal(400, "the body must be a JSON object", None, INVALID)
    kinds = ("str", "list")  # which of several kinds of a value was tried, is no step
    path = ".".join(str(step) for step in place if not (isinstance(step, str) and step.startswith(kinds)))
    if found["type"] == "missing":
        return Refusal(400, f"{path}: is missing", str(place[0]), "missing")
    value = found["input"]
    message = found["msg"][:1].lower() + found["msg"][1:]
    return Refusal(400, f"{path}: {message}, is {_shown(value)}", str(place[0]), INVALID)


def _text(message: _Message) -> str:
    if isinstance(message.content, str):
        return message.content
    for part in message.content:
        if part.type != "text" or part.text is None:
            raise unsupported("messages", f"the model reads text alone, a part is {_shown(part.type)}")
    return "".join(part.text for part in message.content)


def _stops(body: _Body) -> tuple[str, ...]:
    stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stops) > MOST_STOPS:
        raise Refusal(400, f"stop: must be at most {MOST_STOPS} texts, are {len(stops)}", "stop")
    if "" in stops:
        raise Refusal(400, "stop: must not be an empty text", "stop")
    return tuple(stops)


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}.."
