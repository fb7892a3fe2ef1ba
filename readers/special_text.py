"""Texts with names of special tokens in them, for tokenizers that take every text for what it says."""

import re
from collections.abc import Callable


def with_specials(text: str, specials: dict[str, int], encode: Callable[[str], list[int]]) -> list[int]:
    """The token of each name, and `encode` of what stands between them."""
    if not specials:
        return encode(text)
    names = sorted(specials, key=len, reverse=True)
    tokens = []
    for part in re.split(f"({'|'.join(map(re.escape, names))})", text):
        if part in specials:
            tokens.append(specials[part])
        elif part:
            tokens += encode(part)
    return tokens
