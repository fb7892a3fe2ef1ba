"""`make synth`: a block, or the decoder of a configuration, through Yosys: area, memories and paths, held against the
stored figures.

All files land in sim_build/syn/NAME-TARGET, the figures in synth.json there. Exit status 1 when a check fails, a
resource has grown by more than 5% or a memory has left its RAM; 2 after one line about bad input.
"""

import json
import sys
from dataclasses import dataclass

from rich.console import Console

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.spec.presets import PRESETS
from llama2_myhdl.syn import cells, levels, memories, resources, stored, subjects, wrapper, yosys
from llama2_myhdl.syn.owners import owners
from llama2_myhdl.syn.subjects import Sources, Subject
from llama2_myhdl.syn.targets import TARGETS, Target

FAILED, BAD_INPUT = 1, 2
PATHS_KEPT = 20
COLUMNS = 200


@dataclass(frozen=True)
class Synthesis:
    """A subject on a target: what Yosys made of it, and what that is."""

    subject: Subject
    target: Target
    sources: Sources
    mapped: yosys.Mapped
    netlist: cells.Netlist
    owner: dict[str, str]
    resources: resources.Resources
    memories: list[memories.Memory]
    paths: list[levels.Path]
    faults: list[str]

    @property
    def key(self) -> str:
        """Under which the figures are stored."""
        return f"{self.subject.name}/{self.target.name}"

    def figures(self) -> dict:
        """What is stored."""
        kept = {m.name: dict(words=m.words, bits=m.bits, kind=m.kind, cells=m.cells) for m in self.memories if m.large}
        paths = [vars(path) for path in self.paths[:PATHS_KEPT]]
        return dict(verilog=self.sources.digest, resources=self.resources.total, memories=kept, paths=paths)


def synthesize(subject: Subject, target: Target, say: Progress) -> Synthesis:
    """Run what is not there yet, and read what it left. Raises ToolError, ConfigError, OSError."""
    folder = subjects.ROOT / f"{subject.name}-{target.name}"
    sources = subjects.write_sources(subject, folder, say)
    mapped = yosys.synthesize(sources, target, say)
    say("read the netlist", 0, 1)
    tree = sources.tree
    netlist = cells.read(mapped.netlist, mapped.top, tree.scopes)
    dump = list(memories.parse(mapped.memories))
    owner = owners(netlist, tree)
    found = memories.find(dump, netlist, target, wrapper.INSTANCE)
    faults = [f"yosys check: {problem}" for problem in mapped.problems]
    faults += [f"a latch: {name}" for name in memories.latches(dump)]
    ways = levels.Ways(netlist, target)
    faults += [f"a combinational loop at {name}" for name in ways.loops[:1]]
    faults += [f"cells of a kind that is not counted: {kind}" for kind in resources.uncounted(netlist, target)]
    faults += [fault for memory in found if (fault := memory.fault())]
    counted = resources.count(netlist, owner, target, wrapper.INSTANCE)
    paths = levels.longest(ways, owner, wrapper.INSTANCE)
    faults += levels.too_long(paths)
    result = Synthesis(subject, target, sources, mapped, netlist, owner, counted, found, paths, faults)
    write_whole(folder / "synth.json", [(json.dumps(result.figures(), indent=1) + "\n").encode()])
    return result


def wide() -> Console:
    """Standard output, with room for the tables where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=COLUMNS)


def show(result: Synthesis, console: Console) -> None:
    """All tables."""
    console.print(f"{result.subject.what} on {result.target.title}, in {result.sources.folder}")
    console.print(resources.module_table(result.resources))
    console.print(resources.part_table(result.resources.total, result.target))
    console.print(memories.memory_table(result.memories, result.target))
    console.print(levels.level_table(result.paths))


def judge(result: Synthesis, keep: bool) -> int:
    """Say what is wrong or worse than stored, or keep the figures; the exit status."""
    known = stored.load().get(result.key)
    worse = stored.worse(result.figures(), known) if known and not keep else []
    for line in [*result.faults, *worse]:
        print(f"synth: {line}", file=sys.stderr)
    if keep and not result.faults:
        stored.store(result.key, result.figures())
        print(f"stored as {result.key} in {stored.FILE}")
    elif not known:
        print(f"{result.key} is not among the stored figures; STORE=1 keeps them")
    return FAILED if result.faults or worse else 0


def add_subject(parser: Parser) -> None:
    """The options that say what is synthesized."""
    parser.add_argument("block", nargs="?", help="name in syn/blocks.py")
    parser.add_argument("--config", help=f"the whole decoder of one of {', '.join(sorted(PRESETS))}")
    for name in subjects.CHANGES:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, help=f"{name}, instead of the configuration's")


def chosen(options) -> Subject:
    """What the options say; ValueError when that is nothing, or two things."""
    changes = {name: getattr(options, name) for name in subjects.CHANGES}
    if bool(options.config) == bool(options.block):
        raise ValueError("one of BLOCK and CONFIG must be given")
    if options.config:
        return subjects.of_config(options.config, **changes)
    if any(value is not None for value in changes.values()):
        raise ValueError(f"{', '.join(subjects.CHANGES)}: only with CONFIG, a block has its own")
    return subjects.of_block(options.block)


def main(argv=None) -> int:
    parser = Parser(prog="synth", description=__doc__.splitlines()[0])
    add_subject(parser)
    parser.add_argument("--target", choices=sorted(TARGETS), default="ecp5")
    parser.add_argument("--store", action="store_true", help="keep the figures in docs/synth.json")
    options = parser.parse_args(argv)
    try:
        subject = chosen(options)
        with stages(Console(stderr=True), "steps") as say:
            result = synthesize(subject, TARGETS[options.target], say)
        show(result, wide())
        return judge(result, options.store)
    except (ValueError, OSError) as error:  # of tools, configurations and files, each one line
        print(f"synth: {error}", file=sys.stderr)
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
