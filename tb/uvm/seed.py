"""Seeds: fixed for every test, the environment variable SEED overrides; every user draws from a stream of its own."""

import os
import random


def seed(default: int) -> int:
    """The seed of this run; ValueError when SEED is not a whole number."""
    text = os.environ.get("SEED", str(default))
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"SEED: must be a whole number, is {text!r}") from None


def generator(number: int, user: str) -> random.Random:
    """A random stream that depends on the seed and the user's name alone, not on who draws in between."""
    return random.Random(f"{number} {user}")
