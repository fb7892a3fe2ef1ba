"""Starting the command-line tools: where they are, one log each, and one clear line when they fail."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

COMPLAINT = re.compile(r"^%(Warning|Error)|\berror\b", re.I)  # Verilator marks its own; the others say error
POLL_SECONDS = 0.2

Line = Callable[[str], None]


class ToolError(ValueError):
    """A tool is missing or ended with an error; the text names the tool, its log and its last words."""


def yowasp(name: str) -> str:
    """Path of a YoWASP command of this Python environment, such as `yosys` or `nextpnr-ecp5`."""
    path = Path(sys.executable).parent / f"yowasp-{name}"
    if not path.exists():
        raise ToolError(f"yowasp-{name} is not installed; install the extra with: pip install -e .[syn]")
    return str(path)


def version(name: str) -> str:
    """The release of a YoWASP package that is installed."""
    try:
        return metadata.version(f"yowasp-{name}")
    except metadata.PackageNotFoundError as error:
        raise ToolError(f"yowasp-{name} is not installed; install the extra with: pip install -e .[syn]") from error


class _Follower:
    """Hands on the whole lines that a growing file has got since it was last asked."""

    def __init__(self, file: Path, line: Line):
        self._file, self._line, self._place, self._rest = file, line, 0, b""

    def look(self) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._place)
            fresh = file.read()
        self._place += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))


def run(
    command: list[str],
    folder: Path,
    log: str,
    follow: str = "",
    line: Line = lambda text: None,
    accept: tuple[int, ...] = (0,),
    path: Path | None = None,
) -> str:
    """Run `command` in `folder` and return its output, which is also kept in `folder/log`.

    follow: a file in `folder` that the tool writes its own log to; `line` gets each line of it as it comes. accept:
    exit statuses that are no failure; path: a folder where the tool finds others that it starts.
    YoWASP tools do not see absolute paths below the temporary folder, so paths in `command` are relative to `folder`.
    """
    output = folder / log
    if follow:
        (folder / follow).unlink(missing_ok=True)
    follower = _Follower(folder / (follow or log), line)
    environment = os.environ | ({"PATH": f"{path}{os.pathsep}{os.environ.get('PATH', os.defpath)}"} if path else {})
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                try:
                    process.wait(POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    follower.look()
        finally:
            if process.poll() is None:  # this program is interrupted: the tool does not go on alone
                process.kill()
                process.wait()
    follower.look()
    said = output.read_text(errors="replace")
    if process.returncode not in accept:
        words = next((text for text in said.splitlines() if COMPLAINT.search(text)), said.strip()[-200:])
        raise ToolError(f"{Path(command[0]).name} failed ({process.returncode}), see {output}: {words}")
    return said
