"""A text in a file, as what a model is measured on: its tokens, in windows."""

import os
from pathlib import Path

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.codec import TextCodec
from llama2_myhdl.readers.tokenizer import BOS


def text_tokens(path: str | os.PathLike, tokenizer: TextCodec) -> list[int]:
    """The tokens of a file, without BOS and what is blank at its end. Raises ModelError, also for an empty text."""
    try:
        text = Path(path).read_bytes().rstrip()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if not text:
        raise ModelError(f"{path}: must have a text, is empty")
    try:
        return tokenizer.encode(text, bos=False)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def windows(tokens: list[int], size: int, bos: int = BOS) -> list[list[int]]:
    """A text's tokens in windows: BOS, then `size` tokens, in the last one what is left."""
    return [[bos, *tokens[first : first + size]] for first in range(0, len(tokens), size)]
