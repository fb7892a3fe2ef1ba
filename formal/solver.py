"""One question to the solver: a design with its properties, as Yosys prepares it, for so many cycles.

    base case   no property fails within DEPTH cycles of reset
    induction   no property fails behind DEPTH cycles in which none has, from whatever state
    cover       every `cover` is reached within DEPTH cycles of reset: what is assumed leaves something to prove

Yosys' smtbmc asks Yices, an SMT solver of bit vectors, which answers for all inputs and symbols at once.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from llama2_myhdl.syn import tools

SOLVER = "yices"
MODEL = "model.smt2"
BASE, INDUCTION, COVER = "base case", "induction", "cover"
_OPTIONS = {BASE: ["--presat"], INDUCTION: ["-i"], COVER: ["-c"]}
PASSED, FAILED = "passed", "failed"
_STATUS = re.compile(r"Status: (\w+)")
_BLAMED = re.compile(r"(?:Assert failed in|Unreached cover statement at) \w+: (\S+):(\d+)\.\S+ \((.*)\)")
_INSTANCE = re.compile(r"\$flatten/(.*?)\.\$")


@dataclass(frozen=True)
class Answer:
    """question: BASE, INDUCTION or COVER; passed; blamed: the properties that failed; waves: the VCD file of
    a run that shows it, if there is one."""

    question: str
    passed: bool
    blamed: tuple[str, ...] = ()
    waves: Path | None = None


def model_script(files: list[str], top: str, only_properties: bool, free: tuple[str, ...] = ()) -> str:
    """Yosys' commands that make the model of Verilog with properties.

    only_properties: leave out what none needs; free: modules whose outputs may be anything in every cycle.
    """
    freed = [f"cutpoint */t:*{module}" for module in free]
    cut = [f"select -module {top}", "delete -port o:*", "select -clear"] if only_properties else []
    return "; ".join(
        [
            f"read_verilog -formal -D SYNTHESIS {' '.join(files)}",
            f"hierarchy -check -top {top}",
            "proc",
            *freed,
            f"prep -flatten -top {top}",
            *cut,
            "opt_clean -purge; check -assert",  # a name that is meant to be inside and is not there has no driver
            "memory_map",  # so that an address past the end is none
            "async2sync; chformal -lower",
            "setundef -undriven -anyseq; setundef -anyseq",  # unknown is any value
            "opt -fast -full; dffunmap; opt_clean",
            f"write_smt2 -wires {MODEL}",
        ]
    )


def prepare(folder: Path, files: list[str], top: str, only_properties: bool, free: tuple[str, ...] = ()) -> None:
    """Write the model into the folder of the files. Raises ToolError."""
    (folder / MODEL).unlink(missing_ok=True)  # never an answer about an earlier one
    script = model_script(files, top, only_properties, free)
    strict = ["-e", "implicitly declared"]  # a wire with no driver, which would be any value
    tools.run([tools.yowasp("yosys"), "-q", *strict, "-l", "yosys.log", "-p", script], folder, "yosys.out")


def ask(folder: Path, question: str, depth: int) -> Answer:
    """Ask one question about the model in the folder. Raises ToolError when there is no answer."""
    solver = Path(sys.executable).with_name(f"{SOLVER}-smt2")
    if not solver.exists():
        raise tools.ToolError(f"{solver.name} is not installed; install the extra with: pip install -e .[syn]")
    name = question.replace(" ", "-")
    waves = folder / f"{name}.vcd"
    waves.unlink(missing_ok=True)
    # one file a cover; the others have one alone
    dump = f"{name}%.vcd" if question == COVER else waves.name
    command = [tools.yowasp("yosys-smtbmc"), "-s", SOLVER, *_OPTIONS[question], "-t", str(depth), "--dump-vcd", dump]
    said = tools.run([*command, MODEL], folder, f"{name}.log", accept=(0, 1), path=solver.parent)
    return read_answer(said, question, waves)


def _property(match: re.Match, folder: Path) -> str:
    """A failed property: its file, line and instance, and its text."""
    file, line, cell = match.groups()
    text = (folder / file).read_text().splitlines()[int(line) - 1].partition("//")[0].strip()
    instance = _INSTANCE.match(cell)
    return f"{file}:{line}{f' in {instance[1]}' if instance else ''}: {text}"


def read_answer(said: str, question: str, waves: Path) -> Answer:
    """What smtbmc's output means, whose files are beside `waves`; ToolError when it has come to no end."""
    status = _STATUS.findall(said)
    blamed = tuple(dict.fromkeys(_property(match, waves.parent) for match in _BLAMED.finditer(said)))
    if "Assumptions are unsatisfiable" in said:
        return Answer(question, False, ("the assumptions contradict each other",))
    if not status or status[-1].lower() not in (PASSED, FAILED):
        raise tools.ToolError(f"smtbmc: no answer: {said.strip()[-200:]}")
    if status[-1].lower() == PASSED:
        return Answer(question, True)
    return Answer(question, False, blamed, waves if waves.exists() else None)
