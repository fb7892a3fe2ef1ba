"""How long work tells how far it is: a function that gets what is being done, the files done and all files."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """Shows nothing."""
