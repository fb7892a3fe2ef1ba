"""Packed buses and lists of signed numbers, as the tests write and read them."""


def packed(values, bits):
    """Signed numbers side by side, element 0 in the least significant bits."""
    bus = 0
    for value in reversed(values):
        bus = bus << bits | int(value) & (1 << bits) - 1
    return bus


def extremes(rng, bits, count):
    """`count` lists' worth of one choice: all low, all high, or random signed numbers."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    kind = rng.randrange(4)
    if kind == 0:
        return [low] * count
    if kind == 1:
        return [rng.choice((low, high)) for _ in range(count)]
    return [rng.randint(low, high) for _ in range(count)]
