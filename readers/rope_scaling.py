"""What models for long contexts divide their rotary frequencies by, from what a file says of it."""

from math import inf, pi

from llama2_myhdl.base.errors import ModelError


def linear(head_dim: int, factor: float) -> tuple[float, ...]:
    """One factor for all pairs."""
    return (factor,) * (head_dim // 2)


def llama3(
    head_dim: int, theta: float, factor: float, low: float, high: float, original: float, name: str
) -> tuple[float, ...]:
    """Llama 3.1's: 1 for pairs that turn at least `high` times over the original context, `factor` for those that turn
    at most `low` times, and between them a straight line in the frequency's share."""
    if not (0 < low < high < inf and 0 < original < inf):
        raise ModelError(
            f"{name}: low_freq_factor must be above 0 and below high_freq_factor, "
            f"original_max_position_embeddings above 0, are {low:g}, {high:g}, {original:g}"
        )
    divisors = []
    for pair in range(head_dim // 2):
        turns = original * theta ** (-2 * pair / head_dim) / (2 * pi)
        kept = min(max((turns - low) / (high - low), 0.0), 1.0)
        divisors.append(1 / (kept + (1 - kept) / factor))
    return tuple(divisors)
