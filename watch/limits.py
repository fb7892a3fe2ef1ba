"""How much of a run a page holds, and what is left out of a long one."""

TOKENS = 256  # of all stories together
PAGE_BYTES = 5_000_000  # of the page; what follows keeps it below
SPAN_NUMBERS = 400_000  # of the busy runs of all units and tokens
STAGE_NUMBERS = 100_000  # of the matrices over time
TAP_NUMBERS = 200_000  # of the tensors' elements
LAYERS = 8  # whose tensors are kept
ELEMENTS = 64  # of a tensor
LOGITS = 10  # the largest ones of a token


def spread(count: int, most: int) -> list[int]:
    """At most so many of the numbers 0 .. count-1, from the first to the last one, evenly."""
    if count <= most:
        return list(range(count))
    return [k * (count - 1) // max(most - 1, 1) for k in range(most)]


def elements(tokens: int, tensors: int) -> int:
    """Elements to keep of each of so many tensors of a token: two numbers for each, and two for the tensor."""
    return max(1, min(ELEMENTS, (TAP_NUMBERS // max(tokens * tensors, 1) - 2) // 2))


def coarse(make, most: int) -> tuple[int, list]:
    """The finest of what `make(gap)` gives for gaps of 1, 2, 4, .. cycles that has at most so many numbers in all; gap
    and lists."""
    gap = 1
    while sum(map(len, made := make(gap))) > most:
        gap *= 2
    return gap, made
