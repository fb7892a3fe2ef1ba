"""Yosys: from Verilog to a netlist of a device's own cells, its memories and its check; kept until the Verilog changes.

All levels are flattened, so logic is optimised across them. What one run leaves in its folder:

    mapped.json     the netlist
    memories.il     the memories whole, before they are mapped, and the latches there are
    check.txt       what `check` finds in the netlist: loops, nets with two drivers or none
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.syn import tools
from llama2_myhdl.syn.subjects import Sources
from llama2_myhdl.syn.targets import Target

NETLIST, MEMORIES, CHECK, STAMP = "mapped.json", "memories.il", "check.txt", "mapped.stamp"
_PASS = re.compile(r"^\d+\.\d+\. ")
_PROBLEMS = re.compile(r"Found and reported (\d+) problems?")
_LATCHES = "t:$dlatch t:$adlatch t:$dlatchsr t:$sr"


@dataclass(frozen=True)
class Mapped:
    """What a run left: netlist, memories and check as files; digest: of the Verilog and of all that Yosys was told."""

    folder: Path
    top: str
    digest: str

    @property
    def netlist(self) -> Path:
        return self.folder / NETLIST

    @property
    def memories(self) -> str:
        return (self.folder / MEMORIES).read_text()

    @property
    def problems(self) -> list[str]:
        """What `check` found, one line each."""
        return problems((self.folder / CHECK).read_text())


def problems(text: str) -> list[str]:
    """The first line of each problem in the output of `check`; ToolError when it does not say how many there are."""
    found = _PROBLEMS.search(text)
    if not found:
        raise tools.ToolError("yosys: its check has not come to an end")
    lines = [line.removeprefix("Warning: ") for line in text.splitlines() if line.startswith("Warning: ")]
    return lines if int(found[1]) == len(lines) else [*lines, f"{found[1]} problems in all"] if int(found[1]) else []


def script(sources: Sources, target: Target) -> str:
    """The commands, one after the other."""
    synth = f"{target.synth} -top {sources.top} -run"
    return "; ".join(
        [
            f"read_verilog {' '.join(sources.files)}",
            f"hierarchy -check -top {sources.top}; proc",
            "flatten -noscopeinfo",  # a cell's source then names the places of all instances around it
            f"{synth} begin:{target.to_memories}",
            *target.policy,
            f"dump -n -o {MEMORIES} t:$mem_v2 {_LATCHES}",
            *target.mapping(synth, target.to_memories),
            f"tee -q -o {CHECK} check",
            "blackbox =A:whitebox",
            f"write_json {NETLIST}",
        ]
    )


def synthesize(sources: Sources, target: Target, say: Progress = silent) -> Mapped:
    """Map the sources, unless it is done already. Raises ToolError."""
    commands, folder = script(sources, target), sources.folder
    command = tools.yowasp("yosys")
    digest = f"{sources.digest} {tools.version('yosys')} {commands}"
    stamp, made = folder / STAMP, Mapped(folder, sources.top, digest)
    if not _is_done(stamp, digest):
        stamp.unlink(missing_ok=True)
        done = 0

        def line(text: str) -> None:
            nonlocal done
            if _PASS.match(text):
                done = min(done + 1, target.passes - 1)
                say("synthesize", done, target.passes)

        say("synthesize", 0, target.passes)
        tools.run([command, "-q", "-l", "yosys.log", "-p", commands], folder, "yosys.out", "yosys.log", line)
        write_whole(stamp, [json.dumps({"digest": digest}).encode()])
    return made


def _is_done(stamp: Path, digest: str) -> bool:
    if not stamp.is_file() or not (stamp.parent / NETLIST).is_file():
        return False
    try:
        return json.loads(stamp.read_text()).get("digest") == digest
    except json.JSONDecodeError:
        return False
