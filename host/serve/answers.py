"""OpenAI's objects: whole answers, and the chunks of one that is streamed."""

import json
import secrets
import time

from llama2_myhdl.host.serve.passage import Said

_NAMES = {True: ("chatcmpl", "chat.completion", "chat.completion.chunk"), False: ("cmpl", *2 * ("text_completion",))}
DONE = b"data: [DONE]\n\n"


def event(content: dict) -> bytes:
    """A server-sent event, in ASCII: nothing in it is a line's end to some reader."""
    return b"data: " + json.dumps(content).encode() + b"\n\n"


class Form:
    """Of one answer. model: the model's name; chat: of a conversation, not of a text; with_usage: its last chunk counts
    the tokens; with_logprobs: it says how likely the tokens are."""

    def __init__(self, model: str, chat: bool, with_usage: bool = False, with_logprobs: bool = False):
        prefix, self._whole, self._chunk = _NAMES[chat]
        self._chat, self._with_usage, self._with_logprobs = chat, with_usage, with_logprobs
        self._head = dict(id=f"{prefix}-{secrets.token_hex(12)}", created=int(time.time()), model=model)

    def whole(self, choices: list[tuple[str, str, list[Said]]], usage: dict) -> dict:
        """The answer: of each choice a text, the reason of its end, and its tokens."""
        choices = [self._choice(index, *choice, "message") for index, choice in enumerate(choices)]
        return self._head | dict(object=self._whole, choices=choices, usage=usage)

    def begin(self, index: int) -> bytes | None:
        """What comes before a choice's first text; None for nothing."""
        return self._event([dict(index=index, delta=dict(role="assistant", content=""), logprobs=None,
                                 finish_reason=None)]) if self._chat else None  # fmt: skip

    def piece(self, index: int, text: str, reason: str | None, said: list[Said]) -> bytes:
        """More text of a choice and its tokens; reason: of its end, if it has ended."""
        return self._event([self._choice(index, text, reason, said, "delta")])

    def end(self, usage: dict) -> bytes:
        """What comes behind all choices."""
        return (self._event([], usage) if self._with_usage else b"") + DONE

    def _choice(self, index: int, text: str, reason: str | None, said: list[Said], name: str) -> dict:
        content = {name: dict(role="assistant", content=text) if name == "message" else dict(content=text)}
        logprobs = self._logprobs(said) if self._with_logprobs else None
        return dict(index=index, **content if self._chat else dict(text=text), logprobs=logprobs, finish_reason=reason)

    def _logprobs(self, said: list[Said]) -> dict:
        """As OpenAI has it for either kind; no token but the one that was chosen is known."""
        if self._chat:
            tokens = [dict(token=token.text, logprob=token.logprob, bytes=list(token.text.encode()), top_logprobs=[])
                      for token in said]  # fmt: skip
            return dict(content=tokens, refusal=None)
        columns = dict(tokens="text", token_logprobs="logprob", text_offset="offset")
        return {name: [getattr(token, of) for token in said] for name, of in columns.items()} | dict(top_logprobs=None)

    def _event(self, choices: list[dict], usage: dict | None = None) -> bytes:
        counted = dict(usage=usage) if self._with_usage else {}
        return event(self._head | dict(object=self._chunk, choices=choices) | counted)


def usage(prompt: int, completion: int) -> dict:
    """Tokens of the prompts, and those that were sampled."""
    return dict(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
