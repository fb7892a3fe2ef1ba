"""`make pnr`: a block, or the decoder of a configuration, placed and routed on an ECP5-85F, speed grade 6.

Prints speed, what is used of the device, and the critical path by instance. All files land in sim_build/syn/NAME-ecp5:
the figures in pnr-SEED.json, a picture of the placement in placement-SEED.svg. Exit status 1 below --min-freq, 2 after
one line about bad input.
"""

import json
import sys
from dataclasses import dataclass, replace
from operator import itemgetter

from rich.console import Console
from rich.table import Table

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.hdl.progress import Progress
from llama2_myhdl.syn import nextpnr, placement, subjects, wrapper
from llama2_myhdl.syn.levels import PORTS
from llama2_myhdl.syn.owners import within
from llama2_myhdl.syn.subjects import Subject
from llama2_myhdl.syn.synth import BAD_INPUT, FAILED, Synthesis, add_subject, chosen, synthesize, wide
from llama2_myhdl.syn.targets import ECP5

FIGURES = "pnr-{seed}.json"
LEAST_OF_A_BLOCK = 90  # MHz
TARGET = 100.0  # MHz for placement and routing, if none is given
NAMES = ("TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW", "DP16KD", "MULT18X18D")


@dataclass(frozen=True)
class Hop:
    """Of a critical path: an instance, the net that enters it, ns of that net's wire and in the cells behind it."""

    instance: str
    net: str
    wire_ns: float
    logic_ns: float
    cells: int


@dataclass(frozen=True)
class Route:
    """A subject on the device: what Yosys and nextpnr made of it."""

    synthesis: Synthesis
    routed: nextpnr.Routed

    def instance(self, cell: str) -> str | None:
        """The instance of a placed cell, from the design's top; None for the wrapper's and nextpnr's own."""
        owner = self.synthesis.owner
        known = nextpnr.original(cell, owner)
        return within(owner[known], wrapper.INSTANCE) if known else None

    def path(self) -> list[Hop]:
        """The critical path; a carry chain is one hop, as is what else needs no wire."""
        hops, wire, net = [], 0.0, ""
        modules = self.synthesis.resources.modules
        for step in self.routed.path:
            if step.kind == "routing":
                wire, net = step.ns, step.net
            elif hops and not wire:
                hops[-1] = replace(hops[-1], logic_ns=hops[-1].logic_ns + step.ns, cells=hops[-1].cells + 1)
            else:
                instance = self.instance(step.start)
                where = PORTS if instance is None else instance or modules[""]
                if hops and nextpnr.original(step.start, self.synthesis.owner) is None:
                    where = hops[-1].instance  # a cell that nextpnr has added to a carry chain
                hops.append(Hop(where, net, wire, step.ns, 1))
                wire = 0.0
        return hops

    def figures(self) -> dict:
        """What is kept of a run."""
        return dict(
            verilog=self.synthesis.sources.digest,
            seed=self.routed.seed,
            target_mhz=self.routed.target_mhz,
            fmax_mhz=self.routed.fmax_mhz,
            resources=self.synthesis.resources.total,
            used={name: self.routed.used[name] for name in NAMES},
            path=[vars(hop) for hop in self.path()],
        )


def route(subject: Subject, freq: float, seed: int, say: Progress) -> Route:
    """Run what is not there yet. Raises ToolError, ConfigError, OSError."""
    synthesis = synthesize(subject, ECP5, say)
    result = Route(synthesis, nextpnr.route(synthesis.mapped, freq, seed, say))
    folder, fmax = synthesis.sources.folder, result.routed.fmax_mhz
    write_whole(folder / FIGURES.format(seed=seed), [(json.dumps(result.figures(), indent=1) + "\n").encode()])

    def unit_of(cell: str) -> str | None:
        instance = result.instance(cell)
        return None if instance is None else placement.unit(instance)

    drawn = placement.picture(result.routed, unit_of, f"{subject.what} on {nextpnr.PART}: {fmax} MHz, seed {seed}")
    write_whole(folder / f"placement-{seed}.svg", [drawn.encode()])
    return result


def best(subject: str, verilog: str) -> dict | None:
    """The figures of the fastest run that a subject's present Verilog has been routed in; None when there is none.

    seeds: how many have been tried; slowest_mhz: of the slowest of them.
    """
    files = (subjects.ROOT / f"{subject}-{ECP5.name}").glob(FIGURES.format(seed="*"))
    runs = [figures for file in sorted(files) if (figures := json.loads(file.read_text()))["verilog"] == verilog]
    if not runs:
        return None
    slowest, fastest = [choose(runs, key=itemgetter("fmax_mhz")) for choose in (min, max)]
    return fastest | dict(seeds=len(runs), slowest_mhz=slowest["fmax_mhz"])


def use_table(routed: nextpnr.Routed) -> Table:
    """What is used of the device, the wrapper's registers too."""
    table = Table("resource", "used", "there are", "share", title=f"{nextpnr.PART}, with the wrapper")
    for column in table.columns[1:]:
        column.justify = "right"
    for name in NAMES:
        used, there = routed.used[name]
        table.add_row(name, f"{used:,}", f"{there:,}", f"{used / there:.1%}")
    return table


def path_table(path: list[Hop]) -> Table:
    """The critical path, a row for each wire on it."""
    logic, wire = sum(hop.logic_ns for hop in path), sum(hop.wire_ns for hop in path)
    title = f"critical path: {logic:.1f} ns logic, {wire:.1f} ns wire"
    table = Table("net", "wire ns", "into", "cells", "logic ns", title=title)
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for hop in path:
        before = f"{hop.wire_ns:.2f}" if hop.net else ""
        table.add_row(hop.net.rpartition(".")[2], before, hop.instance, str(hop.cells), f"{hop.logic_ns:.2f}")
    return table


def show(result: Route, console: Console) -> None:
    """All tables, and the speed."""
    console.print(use_table(result.routed))
    console.print(path_table(result.path()))
    what, folder, seed = result.synthesis.subject.what, result.synthesis.sources.folder, result.routed.seed
    console.print(f"{what}: {result.routed.fmax_mhz} MHz with seed {seed}")
    console.print(f"placement: {folder / f'placement-{seed}.svg'}", soft_wrap=True)


def main(argv=None) -> int:
    parser = Parser(prog="pnr", description=__doc__.splitlines()[0])
    add_subject(parser)
    parser.add_argument("--freq", type=float, default=TARGET, help="target in MHz for placement and routing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--min-freq", type=float, help=f"fail below this many MHz ({LEAST_OF_A_BLOCK} for a block)")
    options = parser.parse_args(argv)
    try:
        subject = chosen(options)
        with stages(Console(stderr=True), "steps") as say:
            result = route(subject, options.freq, options.seed, say)
    except (ValueError, OSError) as error:  # of tools, configurations and files, each one line
        print(f"pnr: {error}", file=sys.stderr)
        return BAD_INPUT
    show(result, wide())
    least, fmax = options.min_freq, result.routed.fmax_mhz
    if least is None:
        least = LEAST_OF_A_BLOCK if options.block else 0
    if fmax < least:
        print(f"pnr: {subject.name}: {fmax} MHz, at least {least:g} MHz are wanted", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
