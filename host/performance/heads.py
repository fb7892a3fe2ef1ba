"""Attention of one token in one layer: when each head's outputs leave, from when its rows come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil

from llama2_myhdl.host.performance.rows import Reader
from llama2_myhdl.host.performance.ways import Ways
from llama2_myhdl.spec.config import BuildConfig, ModelShape


@dataclass(frozen=True)
class Pass:
    """Query heads that go through a unit side by side. head: their key/value head; first, count: the query heads."""

    head: int
    first: int
    count: int


def passes(shape: ModelShape, build: BuildConfig) -> list[list[Pass]]:
    """Of each unit, in their order (`rtl/attention/head_place.py`, `row_intake.py`)."""
    side_by_side = build.attention_queries
    found = [[] for _ in range(build.attention_units)]
    for head in range(shape.n_kv_heads):
        for begin in range(0, shape.kv_mul, side_by_side):
            count = min(side_by_side, shape.kv_mul - begin)
            found[head % build.attention_units].append(Pass(head, head * shape.kv_mul + begin, count))
    return found


@dataclass(frozen=True)
class TokenRows:
    """What attention waits for. steps: cycles of a pass for its key and value rows, one a position; pushed, value: the
    cycle in which a query head is in attention's queue, in which a value head is written; far: rows out of memory."""

    steps: int
    pushed: Callable[[int], int]
    value: Callable[[int], int]
    far: int = 0


def _unit(
    own: list[Pass], ways: Ways, rows: TokenRows, interval: int, reader: Reader | None
) -> Iterator[tuple[Pass, int]]:
    """(pass, cycle in which its last value row is taken), one after the other. own: its passes; interval: cycles that a
    pass's outputs take; reader: of its rows from memory, where there are any."""
    steps = rows.steps
    key_end = left = -interval
    for one in own:
        push = rows.pushed(one.first + one.count - 1)
        begin = max(push + ways.pushed, key_end + 1)
        key_end = begin + steps - 1
        if rows.far:
            key_end = max(key_end, reader.stepped(rows.far, push, begin) + steps - rows.far)
        scored = max(key_end - ways.pushed + ways.begun, left + steps)  # the last score waits at the values
        waits, row = max(scored, left + interval), rows.value(one.head)
        if row >= waits + ways.looked_up:
            left = taken = row  # the row jumps the cache
        else:
            left = max(waits, row + 1)
            taken = left + ways.looked_up
        yield one, taken


def attended(
    shape: ModelShape, build: BuildConfig, ways: Ways, rows: TokenRows, readers: list[Reader] | None = None
) -> int:
    """The cycle in which the token's last pair of outputs is at the block quantiser; readers: of the units, where rows
    come from memory."""
    pairs = shape.head_dim // 2
    ready = {}
    units = [
        _unit(own, ways, rows, max(pairs, 1), reader)
        for own, reader in zip(passes(shape, build), readers or [None] * build.attention_units, strict=True)
    ]
    for turn in zip_longest(*units):  # as they ask for rows
        for one, taken in filter(None, turn):
            ready |= {one.first + k: taken + ways.divided for k in range(one.count)}
    end = -1
    for head in range(shape.n_heads):
        end = max(end + 1, ready[head]) + pairs - 1
    return end


def reads_of_row(shape: ModelShape, build: BuildConfig) -> int:
    """How often a key row, and its value row, is read for one token."""
    return ceil(shape.kv_mul / build.attention_queries)
