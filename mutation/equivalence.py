"""Whether a mutant is the same hardware as the module: proved by Yosys, by induction over cycles behind a reset.

Both stand side by side on the same inputs. All flip-flops are compared as well as the outputs where that is enough;
else the outputs alone. What is proved is that no sequence of inputs after a cycle of reset tells them apart.
"""

import re
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.mutation.covers import Module, text_of
from llama2_myhdl.mutation.plant import planted
from llama2_myhdl.mutation.sample import Mutant, has_parameters
from llama2_myhdl.syn import tools

SECONDS = 10  # for one proof
STEPS = 6  # cycles of an induction at most
MOST_CPU = 12  # seconds of Yosys in all
MOST_BITS = 1024  # of memories, which become flip-flops
_LESS = "No matching port in gate module"  # a flip-flop is not there any more
_PROVED = "Induction step proven: SUCCESS!"
_MEMORY = re.compile(r"^reg (?:signed )?\[(\d+):0\] \w+ \[0:(\d+)\];", re.M)
_RESET = re.compile(r"^ *input +wire +rst,?$", re.M)
_READ = (
    "read_verilog -DSYNTHESIS {files}; hierarchy -check -top {top}; proc; flatten; memory_map; async2sync; opt_clean; "
    "{expose}; rename {top} {name}; design -stash {name}; design -reset; "
)
_COMPARE = (
    "design -copy-from gold -as gold gold; design -copy-from gate -as gate gate; "
    "miter -equiv -flatten gold gate miter; hierarchy -top miter; opt -full; "
    "sat -prove trigger 0 -tempinduct -maxsteps {steps} -set-init-undef -seq 1 {reset} -timeout {seconds} miter"
)


def proved(mutant: Mutant, build: tuple[Module, ...], folder: Path) -> bool:
    """Whether it is proved that a module of a build is the same with the fault; no proof in time is none.

    Modules with parameters, whose values come from around them, and large memories are not tried. folder: for the files
    of the proof. Raises ToolError when Yosys does not understand the Verilog.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (top,) = (module.name for module in build if module.digest == mutant.text)
    texts = _below(top, {module.name: text_of(module.digest) for module in build})
    bits = sum((int(high) + 1) * (int(last) + 1) for text in texts.values() for high, last in _MEMORY.findall(text))
    if has_parameters(texts[top]) or bits > MOST_BITS:
        return False
    for name, text in texts.items():
        write_whole(folder / f"gold_{name}.v", [text.encode()])
        fault = planted(text, mutant.place) if name == top else text
        write_whole(folder / f"gate_{name}.v", [fault.encode()])
    reset = "-set-at 1 in_rst 1" if _RESET.search(texts[top]) else ""
    return any(_proves(list(texts), top, expose, reset, folder) for expose in ("expose -dff", ""))


def _below(top: str, texts: dict[str, str]) -> dict[str, str]:
    """A module and all that it consists of."""
    found, waiting = {}, [top]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = texts[name]
            waiting += [other for other in texts if re.search(rf"^{other} (#\(|\w+ \()", texts[name], re.M)]
    return found


def _proves(names, top: str, expose: str, reset: str, folder: Path) -> bool:
    sides = [
        _READ.format(files=" ".join(f"{name}_{module}.v" for module in names), top=top, expose=expose, name=name)
        for name in ("gold", "gate")
    ]
    script = "".join(sides) + _COMPARE.format(steps=STEPS, reset=reset, seconds=SECONDS)
    limit = ["prlimit", f"--cpu={MOST_CPU}"]
    try:
        said = tools.run([*limit, tools.yowasp("yosys"), "-q", "-l", "yosys.log", "-p", script], folder, "yosys.out")
    except tools.ToolError as error:
        if _LESS in str(error):
            return False
        raise
    return _PROVED in said or _PROVED in (folder / "yosys.log").read_text()
