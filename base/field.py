"""Numbers on their way into a field of fixed width: none is ever cut."""

import numpy as np

from llama2_myhdl.base.errors import ModelError


def fitted(values, dtype: str, what: str, low: int | None = None, high: int | None = None) -> np.ndarray:
    """`values` (an integer or an array of them) as the integer type `dtype`, "<u4" for instance.

    ModelError, with `what` and the first place out of bounds, unless all lie between the type's own limits, or `low`
    and `high` where these are narrower.
    """
    given, limits = np.asarray(values), np.iinfo(dtype)
    low = limits.min if low is None else max(low, limits.min)
    high = limits.max if high is None else min(high, limits.max)
    outside = (given < low) | (given > high)
    if np.any(outside):
        place = np.argwhere(outside)[0].tolist()
        where = f" {', '.join(map(str, place))}" if place else ""
        raise ModelError(f"{what}{where}: must be {low} to {high}, is {given[tuple(place)]}")
    return given.astype(dtype)
