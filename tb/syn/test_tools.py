"""Tools as they are started: their output, their own log while they run, and how they fail."""

import sys

import pytest

from llama2_myhdl.syn import tools

WRITER = """
import sys, time
with open("own.log", "w") as log:
    for k in range(3):
        print("step", k, file=log, flush=True)
        time.sleep(0.3)
print("done")
"""


def test_each_line_of_the_own_log_is_told_once(tmp_path):
    (tmp_path / "own.log").write_text("of an earlier run\n")
    told = []
    said = tools.run([sys.executable, "-c", WRITER], tmp_path, "output", "own.log", told.append)
    assert told == ["step 0", "step 1", "step 2"]
    assert said == "done\n" == (tmp_path / "output").read_text()


def test_a_failure_is_one_line_with_the_complaint(tmp_path):
    code = "import sys; print('hello'); print('ERROR: no such thing'); sys.exit(3)"
    with pytest.raises(tools.ToolError, match=r"failed \(3\), see .*output: ERROR: no such thing"):
        tools.run([sys.executable, "-c", code], tmp_path, "output")


def test_a_tool_that_is_not_there_is_named():
    for call in (tools.yowasp, tools.version):
        with pytest.raises(tools.ToolError, match="yowasp-nothing is not installed"):
            call("nothing")


def test_a_status_may_be_an_answer(tmp_path):
    code = "import sys; print('no'); sys.exit(1)"
    assert tools.run([sys.executable, "-c", code], tmp_path, "output", accept=(0, 1)) == "no\n"
    with pytest.raises(tools.ToolError, match=r"failed \(1\)"):
        tools.run([sys.executable, "-c", code], tmp_path, "output")


def test_a_tool_finds_others_in_a_folder_that_is_told(tmp_path):
    code = "import os; print(os.environ['PATH'])"
    first = tools.run([sys.executable, "-c", code], tmp_path, "output", path=tmp_path / "more")
    assert first.split(":")[0] == str(tmp_path / "more")
    assert tools.run([sys.executable, "-c", code], tmp_path, "output").split(":")[0] != str(tmp_path / "more")
