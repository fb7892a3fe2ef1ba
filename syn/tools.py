"""Starting the command-line tools: where they are, one log each, and one clear line when they fail."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

COMPLAINT = re.compile(r"^%(Warning|Error)|\berror\b", re.I)  # Verilator marks its own; the others say error


class ToolError(ValueError):
    """A tool is missing or ended with an error; the text names the tool, its log and its last words."""


def yowasp(name: str) -> str:
    """Path of a YoWASP command of this Python environment, such as `yosys` or `nextpnr-ecp5`."""
    path = Path(sys.executable).parent / f"yowasp-{name}"
    if not path.exists():
        raise ToolError(f"yowasp-{name} is not installed; install the extra with: pip install -e .[syn]")
    return str(path)


def run(command: list[str], folder: Path, log: str) -> str:
    """Run `command` in `folder` and return its output, which is also kept in `folder/log`.

    YoWASP tools do not see absolute paths below the temporary folder, so paths in `command` are relative to `folder`.
    """
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (folder / log).write_text(done.stdout)
    if done.returncode:
        words = next((line for line in done.stdout.splitlines() if COMPLAINT.search(line)), done.stdout.strip()[-200:])
        raise ToolError(f"{Path(command[0]).name} failed ({done.returncode}), see {folder / log}: {words}")
    return done.stdout


def identity(name: str) -> str:
    """Changes with the version of a YoWASP command."""
    return f"{name} {importlib.metadata.version(f'yowasp-{name}')}"
