"""OpenAI's objects: whole answers, and the chunks of one that is streamed."""

import json
import secrets
import time

_NAMES = {True: ("chatcmpl", "chat.completion", "chat.completion.chunk"), False: ("cmpl", *2 * ("text_completion",))}
DONE = b"data: [DONE]\n\n"


def event(content: dict) -> bytes:
    """A server-sent event, in ASCII: nothing in it is a line's end to some reader."""
    return b"data: " + json.dumps(content).encode() + b"\n\n"


class Form:
    """Of one answer. model: the model's name; chat: of a conversation, not of a text; with_usage: its last chunk counts
    the tokens."""

    def __init__(self, model: str, chat: bool, with_usage: bool = False):
        prefix, self._whole, self._chunk = _NAMES[chat]
        self._chat, self._with_usage = chat, with_usage
        self._head = dict(id=f"{prefix}-{secrets.token_hex(12)}", created=int(time.time()), model=model)

    def whole(self, texts: list[str], reasons: list[str], usage: dict) -> dict:
        """The answer: a text and the reason of its end for each choice."""
        choices = [self._choice(k, text, reason, "message") for k, (text, reason) in enumerate(zip(texts, reasons))]
        return self._head | dict(object=self._whole, choices=choices, usage=usage)

    def begin(self, index: int) -> bytes | None:
        """What comes before a choice's first text; None for nothing."""
        return self._event([dict(index=index, delta=dict(role="assistant", content=""), logprobs=None,
                                 finish_reason=None)]) if self._chat else None  # fmt: skip

    def piece(self, index: int, text: str, reason: str | None) -> bytes:
        """More text of a choice; reason: of its end, if it has ended."""
        return self._event([self._choice(index, text, reason, "delta")])

    def end(self, usage: dict) -> bytes:
        """What comes behind all choices."""
        return (self._event([], usage) if self._with_usage else b"") + DONE

    def _choice(self, index: int, text: str, reason: str | None, name: str) -> dict:
        said = {name: dict(role="assistant", content=text) if name == "message" else dict(content=text)}
        return dict(index=index, **said if self._chat else dict(text=text), logprobs=None, finish_reason=reason)

    def _event(self, choices: list[dict], usage: dict | None = None) -> bytes:
        counted = dict(usage=usage) if self._with_usage else {}
        return event(self._head | dict(object=self._chunk, choices=choices) | counted)


def usage(prompt: int, completion: int) -> dict:
    """Tokens of the prompts, and those that were sampled."""
    return dict(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
