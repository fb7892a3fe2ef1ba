"""Steps of long work, where there is no terminal."""

import io

from rich.console import Console

from llama2_myhdl.base.stages import stages


def test_a_line_for_each_step_and_each_quarter_of_it(capsys):
    with stages(Console(file=io.StringIO()), "arcs") as say:
        for done in range(9):
            say("route", done, 8)
        say("pack", 0, 1)
    assert capsys.readouterr().err.splitlines() == [
        "route ...", "route 2 of 8 arcs", "route 4 of 8 arcs", "route 6 of 8 arcs", "route 8 of 8 arcs", "pack ..."
    ]  # fmt: skip


def test_on_a_terminal_a_bar(capsys):
    screen = io.StringIO()
    with stages(Console(file=screen, force_terminal=True), "arcs") as say:
        say("pack", 0, 1)
        say("route", 4, 8)
    assert "route" in screen.getvalue() and "4/8 arcs" in screen.getvalue()
    assert capsys.readouterr().err == ""
