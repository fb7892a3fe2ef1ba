"""A parallel run names the tests that take long, and ends as pytest does."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from tb.progress import AGAIN, FIRST, Progress

ROOT = Path(__file__).parents[2]


def test_a_test_is_named_when_it_has_run_for_long_and_now_and_then_after():
    now = [100.0]
    progress = Progress(None, clock=lambda: now[0])
    progress.session = SimpleNamespace(testscollected=9)
    progress.pytest_runtest_logstart("slow")
    progress.pytest_runtest_logstart("fast")
    progress.pytest_runtest_logfinish("fast")
    said = {}
    for second in range(FIRST + AGAIN + 1):
        now[0] = 100.0 + second
        said[second] = progress.lines()
    assert {second: lines for second, lines in said.items() if lines} == {
        FIRST: [f"1 of 9 done, {FIRST} s in slow"],
        FIRST + AGAIN: [f"1 of 9 done, {FIRST + AGAIN} s in slow"],
    }
    progress.pytest_runtest_logfinish("slow")
    now[0] += 1000
    assert progress.lines() == []


def test_a_run_with_workers_shows_it(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "from tb import progress\n"
        "progress.FIRST, progress.POLL = 0.5, 0.1\n"
        "def pytest_configure(config):\n    progress.register(config)\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import time\ndef test_fast(): pass\ndef test_slow(): time.sleep(2)\ndef test_last(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    for workers, shown in (("2", 1), ("0", 0)):
        done = subprocess.run([*command, "-n", workers], cwd=ROOT, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        assert lines[-1].startswith("3 passed in ")
        assert sum(line.endswith(" s in test_it.py::test_slow") for line in lines) == shown, lines
