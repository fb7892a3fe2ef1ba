"""One block on a Lattice ECP5-85F, speed grade 6: `make synth` and `make pnr`.

`synth` maps the block alone with Yosys and prints what it uses. `pnr` puts it into a wrapper that registers all its
ports (syn/wrapper.py), routes it with nextpnr and prints area, speed and the critical path; below `--min-freq` the exit
status is 1. All files land in sim_build/syn/BLOCK, the figures in BLOCK_synth.json and BLOCK_pnr.json there.
"""

import json
import sys
from pathlib import Path

from llama2_myhdl.base.options import Parser
from llama2_myhdl.syn import blocks, tools, wrapper

ROOT = Path("sim_build/syn")
# -no-rw-check: no word is used that was read in the cycle of its writing, so no emulation logic is wanted.
SYNTH = "synth_ecp5 -no-rw-check -top {top} -json {top}.json"
DEVICE = ("--85k", "--package", "CABGA381", "--speed", "6")
# The wrapper's pins may lie anywhere, and a missed target is a figure to report, not a fault of the tool. router2 is
# faster, but makes detours of more than 10 ns around the multipliers and block RAMs of a column.
ROUTING = ("--lpf-allow-unconstrained", "--router", "router1", "--timing-allow-fail")
CELLS = {  # column: Yosys cells that it counts
    "LUT4": ("LUT4",),
    "carry": ("CCU2C",),
    "FF": ("TRELLIS_FF",),
    "LUT-RAM": ("TRELLIS_DPR16X4",),
    "DP16KD": ("DP16KD",),
    "MULT18X18D": ("MULT18X18D",),
}


def _yosys(folder: Path, sources: list[str], top: str) -> dict[str, int]:
    """Synthesize `top` and return its cells by column of CELLS."""
    script = f"read_verilog {' '.join(sources)}; {SYNTH.format(top=top)}; tee -q -o {top}.stat.json stat -json"
    tools.run([tools.yowasp("yosys"), "-q", "-l", f"{top}.yosys.log", "-p", script], folder, f"{top}.yosys.out")
    cells = json.loads((folder / f"{top}.stat.json").read_text())["design"]["num_cells_by_type"]
    return {column: sum(cells.get(cell, 0) for cell in names) for column, names in CELLS.items()}


def _path(steps: list[dict]) -> dict:
    """Totals and ends of nextpnr's critical path: ns in logic (clock-to-output and set-up too) and in routing."""
    total = {"logic": 0.0, "routing": 0.0}
    for step in steps:
        total["routing" if step["type"] == "routing" else "logic"] += step["delay"]
    return {
        "from": steps[0]["from"]["cell"],
        "to": steps[-1]["to"]["cell"],
        "logic_ns": round(total["logic"], 2),
        "routing_ns": round(total["routing"], 2),
        "levels": sum(step["type"] == "logic" for step in steps),
    }


def synth(block: str, folder: Path) -> dict:
    """Yosys mapping of `block` alone: {"block", "top", cells...}."""
    files = blocks.convert(block, folder)
    top = files[-1].stem
    return {"block": block, "top": top, **_yosys(folder, [f.name for f in files], top)}


def pnr(block: str, folder: Path, freq: float, seed: int) -> dict:
    """Placed and routed figures of `block` in its wrapper: cells, fmax_mhz, critical_path, wrapper_ff."""
    files = blocks.convert(block, folder)
    top = files[-1].stem
    ports = wrapper.ports(files[-1].read_text(), top)
    wrapped = f"{top}_wrapped"
    (folder / f"{wrapped}.v").write_text(wrapper.wrap(top, ports, wrapped))
    result = {"block": block, "top": top}
    result |= _yosys(folder, [*(f.name for f in files), f"{wrapped}.v"], wrapped)
    report = f"{wrapped}.report.json"
    options = ["--freq", str(freq), "--seed", str(seed), "--json", f"{wrapped}.json", "--report", report]
    command = [tools.yowasp("nextpnr-ecp5"), *DEVICE, *ROUTING, *options, "-q", "-l", f"{wrapped}.nextpnr.log"]
    tools.run(command, folder, f"{wrapped}.nextpnr.out")
    routed = json.loads((folder / report).read_text())
    (clock,) = (name for name in routed["fmax"] if wrapper.CLOCK in name)
    paths = [p for p in routed["critical_paths"] if p["from"] == p["to"] and clock in p["from"]]
    return result | {
        "wrapper_FF": wrapper.overhead(ports),
        "target_mhz": freq,
        "seed": seed,
        "fmax_mhz": round(routed["fmax"][clock]["achieved"], 1),
        "critical_path": _path(paths[0]["path"]),
    }


def table(result: dict) -> str:
    """The figures as aligned lines of text."""
    path = result.get("critical_path")
    rows = [(key, value) for key, value in result.items() if key != "critical_path"]
    if path:
        delays = f"{path['logic_ns']} ns logic + {path['routing_ns']} ns routing, {path['levels']} levels"
        rows += [("critical path", delays), ("  from", path["from"]), ("  to", path["to"])]
    return "\n".join(f"{key:14} {value}" for key, value in rows)


def main(argv: list[str]) -> int:
    parser = Parser(prog="ecp5", description="map or route one block on an ECP5-85F")
    parser.add_argument("flow", choices=("synth", "pnr"))
    parser.add_argument("block", nargs="?", default="", help="name in syn/blocks.py")
    parser.add_argument("--freq", type=float, default=100, help="target in MHz for placement and routing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--min-freq", type=float, default=90, help="fail below this many MHz")
    options = parser.parse_args(argv)
    folder = ROOT / options.block
    try:
        if options.flow == "synth":
            result = synth(options.block, folder)
        else:
            result = pnr(options.block, folder, options.freq, options.seed)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    (folder / f"{options.block}_{options.flow}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))
    if result.get("fmax_mhz", options.min_freq) < options.min_freq:
        print(f"{options.block}: {result['fmax_mhz']} MHz, at least {options.min_freq} MHz is wanted", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
