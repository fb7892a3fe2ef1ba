"""How long work gets on, shown while it lasts: a bar on a terminal, lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.completed}/{task.total} {task.fields[unit]}"),
    TimeElapsedColumn(),
)


class _Lines:
    """Standard error gets a line for each step, and one for each quarter of it."""

    def __init__(self, unit: str):
        self._unit, self._said = unit, None

    def say(self, what: str, done: int, total: int) -> None:
        quarter = 4 * done // max(total, 1)
        if self._said != (what, quarter):
            count = f" {done} of {total} {self._unit}".rstrip() if done else " ..."
            print(f"{what}{count}", file=sys.stderr, flush=True)
            self._said = (what, quarter)


@contextmanager
def stages(console: Console, unit: str = "files") -> Iterator:
    """Gives the function that steps are told to: what, how much of it is done, and all of it, counted in `unit`."""
    if not console.is_terminal:
        yield _Lines(unit).say
        return
    with Progress(*COLUMNS, console=console, transient=True) as progress:
        tasks = {}

        def say(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for earlier in tasks.values():
                    progress.update(earlier, visible=False)
                tasks[what] = progress.add_task(what, total=total, unit=unit if total > 1 else "")
            progress.update(tasks[what], completed=done, total=total)

        yield say
