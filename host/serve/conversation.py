"""A conversation as tokens, also of a model without a chat template."""

from collections.abc import Sequence

from llama2_myhdl.readers.codec import TextCodec

WITHOUT = "the model has no chat template: it goes on from the messages, one a line"


def conversation(tokenizer: TextCodec, messages: Sequence[dict[str, str]]) -> list[int]:
    """Token ids of messages (role, content), up to where the model has its say; without a template their contents, one
    a line, as a text that the model goes on from. Raises ModelError."""
    if tokenizer.template is not None:
        return tokenizer.chat(messages)
    return tokenizer.encode("\n".join(message["content"] for message in messages))
