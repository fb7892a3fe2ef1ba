"""docs/verification.md names every test of hardware that leaves one of the simulators out."""

import re

from llama2_myhdl.base.folders import PROJECT

HEADING = "### In one simulator alone"
# a list of simulators that is cut, a name of one, a session that is in the fastest one
NAMES_ONE = re.compile(r'(?:SIMULATORS|SESSIONS)\[|"(?:icarus|verilator)"|\bSession\(\w+\) as ')


def listed() -> set[str]:
    """Files of that section; one without a folder is in that of the file before it."""
    section = (PROJECT / "docs" / "verification.md").read_text().split(HEADING)[1].split("\n#")[0]
    found, folder = set(), ""
    for name in re.findall(r"`([\w/]+\.py)`", section.split("| --- |", 1)[1]):
        folder = name.rpartition("/")[0] or folder
        found.add(f"{folder}/{name.rpartition('/')[2]}")
    return found


def test_what_leaves_a_simulator_out_is_listed_with_its_reason():
    rooms = {path.name for path in (PROJECT / "rtl").iterdir() if path.is_dir()} | {"stress", "decoder"}
    files = (path for path in (PROJECT / "tb").rglob("*.py") if path.parent.name in rooms)
    found = {path.relative_to(PROJECT).as_posix() for path in files if NAMES_ONE.search(path.read_text())}
    assert found and found == listed()
