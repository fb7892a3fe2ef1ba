"""Texts that tokenizers are compared on: words of ten scripts, digits, signs, blanks, emoji, remains of bad UTF-8."""

import random

SCRIPTS = {  # letters that are there without a gap
    "Latin": (0x61, 0x7A), "accented": (0xC0, 0xD6), "Greek": (0x3B1, 0x3C9), "Cyrillic": (0x430, 0x44F),
    "Hebrew": (0x5D0, 0x5EA), "Arabic": (0x627, 0x63A), "Devanagari": (0x915, 0x939), "Thai": (0xE01, 0xE2E),
    "Hangul": (0xAC00, 0xAC80), "Kana": (0x3041, 0x3093), "Han": (0x4E00, 0x4E80),
}  # fmt: skip
EMOJI = ["🙂", "👍🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "🏳️‍🌈"]
WORDS = ["the", "Once", "upon", "don't", "WE'LL", "naïve", "it's", "x1", "3.14", "2026", "1234567", "a_b", "->", "("]
BLANKS = [" ", "  ", "\n", "\n\n", "\t", " \n ", "   "]


def _word(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.15:
        return rng.choice(EMOJI)
    if kind < 0.4:
        return rng.choice(WORDS)
    if kind < 0.47:  # bytes cut off in the middle, as a careless reader hands them on
        whole = "".join(rng.choice(EMOJI) for _ in range(2)).encode()
        return whole[: rng.randrange(1, len(whole))].decode(errors="replace")
    low, high = rng.choice(list(SCRIPTS.values()))
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 8)))


def texts(count: int, seed: int) -> list[str]:
    """The same for a seed; some begin or end with blanks, the first one is empty."""
    rng, found = random.Random(seed), [""]
    while len(found) < count:
        words = [_word(rng) + (rng.choice(BLANKS) if rng.random() < 0.8 else "") for _ in range(rng.randint(1, 12))]
        found.append(rng.choice(["", "", " ", "\n"]) + "".join(words))
    return found
