"""Rows of signed lanes, and the packed buses that hold them."""


def row(rng, kind, lanes, bits):
    """`lanes` signed mantissas: all `max`, `min` or `zero`, `small` (-2 .. 2) or `random` with extremes mixed in."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    fixed = {"max": high, "min": low, "zero": 0}
    if kind in fixed:
        return [fixed[kind]] * lanes
    if kind == "small":
        return [rng.randint(-2, 2) for _ in range(lanes)]
    return [rng.choice((low, high, 0, -1)) if rng.random() < 0.05 else rng.randint(low, high) for _ in range(lanes)]


def packed(lanes, bits):
    """Signed lanes side by side, lane 0 in the low bits."""
    return sum((int(value) & ((1 << bits) - 1)) << (bits * k) for k, value in enumerate(lanes))


def unpacked(word, bits, count):
    """Signed lanes of a word: the inverse of `packed`."""
    half = 1 << (bits - 1)
    return [((word >> (bits * k) & ((1 << bits) - 1)) ^ half) - half for k in range(count)]
