"""How many trials a stress test makes, and what they are drawn from: the environment's TRIALS and SEED."""

import os
import random
from math import ceil

from tb.uvm.seed import generator, seed

SEED = 1


def trials(full: int, few: int) -> int:
    """`few` in `make test`; with TRIALS, in percent, that share of `full`. ValueError when it is no such number."""
    text = os.environ.get("TRIALS")
    if not text:
        return few
    if not text.isdecimal() or not int(text):
        raise ValueError(f"TRIALS: must be a whole number of percent, 1 or more, is {text!r}")
    return ceil(full * int(text) / 100)


def draws(user: str) -> random.Random:
    """What a test draws from: of SEED, and of the test's own name."""
    return generator(seed(SEED), user)
