"""A bitstream for a ULX3S (ECP5-85F), and its way into the board: `make bitstream` and `make flash`.

`build` converts the board's top (rtl/board) of a named configuration, puts pins and PLL around it (syn/ulx3s), maps it
with Yosys, routes it with nextpnr and packs it. All files land in sim_build/bitstream/CONFIG. Exit status 1 when the
routed design does not reach its clock, 2 after one line about what is wrong.
"""

import json
import re
import shutil
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.base.options import Parser
from llama2_myhdl.rtl.board.board import BAUD, CLOCK_HZ, board, ports
from llama2_myhdl.rtl.verilog import write_verilog
from llama2_myhdl.sim.sources import digest_of_sources
from llama2_myhdl.spec.link import on_board
from llama2_myhdl.spec.presets import PRESETS, build_of
from llama2_myhdl.spec.recording import PLACE
from llama2_myhdl.syn import tools
from llama2_myhdl.syn.absorb import absorb_file
from llama2_myhdl.syn.nextpnr import DEVICE, PACKED, ROUTING
from llama2_myhdl.syn.targets import ECP5

TOP = "ulx3s"
PINS = Path(__file__).with_name(TOP)
FOLDER = GENERATED / "bitstream"
OSCILLATOR_MHZ = 25
SYNTH = f"{ECP5.synth} -top {TOP} -json {TOP}.json"
LOADER = "openFPGALoader"
STORY = "story.bin"  # beside a bitstream: what the board plays from its flash


def pll(folder: Path, mhz: Fraction) -> int:
    """Write pll.v for a clock; the frequency in Hz that the PLL really makes of the oscillator's."""
    command = [tools.yowasp("ecppll"), "-i", str(OSCILLATOR_MHZ), "-o", str(float(mhz)), "-f", "pll.v"]
    said = tools.run(command, folder, "ecppll.log")
    words = ("Refclk divisor", "Feedback divisor")
    divide, multiply = (int(re.search(rf"^{word}: (\d+)$", said, re.M)[1]) for word in words)
    made = Fraction(OSCILLATOR_MHZ * 10**6 * multiply, divide)
    return int(made)


def build(config: str, mhz: Fraction, baud: int, seed: int) -> dict:
    """Everything from the configuration's name to the bitstream; its figures. Raises ValueError."""
    decoder = on_board(build_of(config))
    folder = FOLDER / config
    folder.mkdir(parents=True, exist_ok=True)
    hertz = pll(folder, mhz)
    digest = zlib.crc32(digest_of_sources(board, ports(decoder, hertz, baud)).encode())
    modules = write_verilog(board, folder, **ports(decoder, hertz, baud, digest))
    figures = put_together(folder, [module.file.name for module in modules], hertz, seed)
    return {"config": config, "digest": f"{digest:08x}", "clock_mhz": hertz / 1e6, "baud": baud} | figures


def put_together(folder: Path, modules: list[str], hertz: int, seed: int) -> dict:
    """The bitstream of `llama_board` in these files, with the pins and pll.v around it; its figures."""
    shutil.copyfile(PINS / f"{TOP}.v", folder / f"{TOP}.v")
    shutil.copyfile(PINS / f"{TOP}.lpf", folder / f"{TOP}.lpf")
    script = f"read_verilog {' '.join(modules)} pll.v {TOP}.v; {SYNTH}; tee -q -o {TOP}.stat.json stat -json"
    tools.run([tools.yowasp("yosys"), "-q", "-l", "yosys.log", "-p", script], folder, "yosys.out")
    absorb_file(folder / f"{TOP}.json", folder / PACKED)
    routed = _route(folder, hertz, seed)
    tools.run([tools.yowasp("ecppack"), "--compress", f"{TOP}.config", f"{TOP}.bit"], folder, "ecppack.log")
    bitstream = folder / f"{TOP}.bit"
    return routed | {"bytes": bitstream.stat().st_size, "file": str(bitstream)}


def _route(folder: Path, hertz: int, seed: int) -> dict:
    """Place and route what Yosys made: cells in use and the speed of the decoder's clock."""
    options = ["--freq", str(hertz / 1e6), "--seed", str(seed), "--json", PACKED, "--lpf", f"{TOP}.lpf"]
    outputs = ["--textcfg", f"{TOP}.config", "--report", f"{TOP}.report.json", "-q", "-l", "nextpnr.log"]
    tools.run([tools.yowasp("nextpnr-ecp5"), *DEVICE, *ROUTING, *options, *outputs], folder, "nextpnr.out")
    report = json.loads((folder / f"{TOP}.report.json").read_text())
    used = {name: cells["used"] for name, cells in report["utilization"].items() if cells["used"]}
    (speed,) = (clock["achieved"] for name, clock in report["fmax"].items() if "clk_25mhz" not in name)
    return {"fmax_mhz": round(speed, 1), "used": used}


def flash(config: str, volatile: bool) -> None:
    """Write the bitstream of a configuration and its story into the flash; or the former into the FPGA alone."""
    bitstream, story = FOLDER / config / f"{TOP}.bit", FOLDER / config / STORY
    if not bitstream.exists():
        raise tools.ToolError(f"{bitstream} is not there: make bitstream CONFIG={config}")
    if shutil.which(LOADER) is None:
        raise tools.ToolError(f"{LOADER} is not installed (Debian: apt-get install openfpgaloader)")
    commands = [[*([] if volatile else ["--write-flash"]), str(bitstream)]]
    if story.exists() and not volatile:  # first: with the bitstream the board starts
        commands.insert(0, ["--write-flash", "--offset", str(PLACE), "--file-type", "raw", str(story)])
    for command in commands:
        if subprocess.run([LOADER, "--board", TOP, *command]).returncode:
            raise tools.ToolError(f"{LOADER} has failed: is the board connected?")


def _mhz(text: str) -> Fraction:
    value = float(text)
    if not 10 <= value <= 200:
        raise ValueError(text)
    return Fraction(text)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="bitstream", description="make a bitstream for a ULX3S, or write it into the board")
    parser.add_argument("step", choices=("build", "flash"))
    parser.add_argument("config", nargs="?", default=TOP, help=f"one of {', '.join(sorted(PRESETS))} ({TOP})")
    parser.add_argument("--clock", type=_mhz, default=Fraction(CLOCK_HZ, 10**6), help="of all logic, in MHz, 10 to 200")
    parser.add_argument("--baud", type=int, default=BAUD, help=f"of the serial line, in bits a second ({BAUD:,})")
    parser.add_argument("--seed", type=int, default=1, help="of the placement")
    parser.add_argument("--volatile", action="store_true", help="flash: into the FPGA, until it is switched off")
    args = parser.parse_args(argv)
    try:
        if args.step == "flash":
            flash(args.config, args.volatile)
            return 0
        result = build(args.config, args.clock, args.baud, args.seed)
    except (ValueError, OSError) as error:
        print(f"bitstream: {error}", file=sys.stderr)
        return 2
    for name, value in result.items():
        print(f"{name:10} {value}")
    if result["fmax_mhz"] < result["clock_mhz"]:
        print(f"bitstream: {result['fmax_mhz']} MHz, {result['clock_mhz']:g} MHz is wanted: try another SEED, or a "
              "slower CLOCK", file=sys.stderr)  # fmt: skip
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
