"""The story as it is told, token by token, with the progress below it."""

import sys
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import Progress
from rich.text import Text

from llama2_myhdl.base.plain_text import plain
from llama2_myhdl.base.stages import COLUMNS, stages


class Story:
    """On a terminal the text grows above a progress bar; elsewhere each piece is written to standard output at once."""

    def __init__(self):
        self._console = Console()
        self._text = Text()
        self._progress = Progress(*COLUMNS, console=self._console)
        self._task = None
        self._live = None
        self._at_line_start = True  # .. a whole line can be written as it is

    def preparing(self, unit: str = "files"):
        """Show the steps of the preparation; gives the function that they are told to: what, units done, all units."""
        return stages(self._console, unit)

    @contextmanager
    def telling(self, positions: int):
        """Show the progress through `positions` while the story is told."""
        if not self._console.is_terminal:
            yield
            print(flush=True)
            return
        self._task = self._progress.add_task("booting", total=positions, unit="positions")
        with Live(self._view(), console=self._console) as self._live:
            yield
            self._live.update(self._text)

    def _view(self):
        return Group(self._text, self._progress)

    def advance(self, pos: int, cycles: int | None = None) -> None:
        """One more position done, `cycles` in all if they are known."""
        if self._live is not None:
            rate = "telling" if cycles is None else f"{cycles / (pos + 1):,.0f} cycles per token"
            self._progress.update(self._task, completed=pos + 1, description=rate)

    def print(self, text: str) -> None:
        """A whole line of its own, above or between the pieces of the story."""
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print("" if self._at_line_start else "\n", text, sep="", flush=True)
            self._at_line_start = True

    def passage(self, heading: str, text: str) -> None:
        """A whole story, told at once."""
        self.print(f"{heading}: {plain(text)}")

    def say(self, text: str) -> None:
        """Add text to the story; what would steer the terminal is shown, not sent."""
        text = plain(text)
        self._text.append(text)
        if self._live is not None:
            self._live.update(self._view())
        elif not self._console.is_terminal:
            sys.stdout.write(text)
            sys.stdout.flush()
            self._at_line_start = self._at_line_start and not text
