"""`make ip`: the IP block of a configuration as a folder that stands alone.

Verilog, file list, FuseSoC core with lint, sim and synth targets, a testbench with a model in memory, constraints, the
registers as pages, C header and Python class, the driver, and a LiteX wrapper.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.folders import GENERATED, PROJECT
from llama2_myhdl.base.options import Parser
from llama2_myhdl.base.stages import stages
from llama2_myhdl.host.ip.documents import write_documents
from llama2_myhdl.host.ip.driver_folder import write_driver
from llama2_myhdl.host.ip.story import BASE, story_for
from llama2_myhdl.host.stopping import stoppable
from llama2_myhdl.rtl.control.llama2_ip import llama2_ip, ports
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.rtl.verilog import write_file_list, write_verilog
from llama2_myhdl.spec.cache import cache_count
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.control import ADDRESS_BITS, PAGE_BYTES, REGISTERS, boot_bus, cache_pages, tape_count
from llama2_myhdl.spec.presets import PRESETS, build_of

FOLDER = GENERATED / "ip"
TEMPLATES = Path(__file__).with_name("templates")
CORE = "llama2_ip.core"  # what an IP folder is known by
WAIVERS = PROJECT / "syn" / "waivers.vlt"
LICENSE = PROJECT / "LICENSE"
RENDERED = {  # file of the folder: template
    CORE: "core.j2",
    "README.md": "readme.j2",
    "tb/llama2_ip_tb.v": "testbench.j2",
    "tb/axi_memory.v": "axi_memory.v",
    "constraints/llama2_ip.sdc": "sdc.j2",
    "litex/llama2_ip.py": "litex.j2",
}
PORT = re.compile(r"^    (input|output) +wire +(?:\[(\d+):0\] +)?(\w+),?$", re.M)
CLOCK_MHZ = 100


def top_ports(verilog: str) -> list[tuple[str, int, str]]:
    """Direction, bits and name of each port of a module that `write_verilog` has made."""
    return [(way, int(high or 0) + 1, name) for way, high, name in PORT.findall(verilog)]


@dataclass(frozen=True)
class Master:
    """A port to memory: prefix of its pins, widths; writes: it does not only read."""

    prefix: str
    id_bits: int
    data_bits: int
    address_bits: int
    writes: bool


def axi_ports(build: BuildConfig, widths: Mapping[str, int]) -> list[Master]:
    """The ports to memory: the boot image's, then one a station for builds that have their tapes there, that of the
    embedding's rows, and one an engine for keys and values. widths: of the top's pins, by their names."""
    names = ["boot", *range(stations(build) if build.weights else 0), *(["embedding"] if build.embedding else [])]
    names += [f"cache_{k}" for k in range(cache_count(build))]
    pins = ("arid", "rdata", "araddr")
    prefixes = [f"m_axi_{name}" for name in names]
    return [Master(p, *(widths[f"{p}_{pin}"] for pin in pins), f"{p}_awaddr" in widths) for p in prefixes]


def write_ip(config: str, build: BuildConfig, folder: Path, say: Callable[[str, int, int], None]) -> None:
    """Write the folder's files into an empty one; say: as `base.stages.stages` gives it."""
    say("convert to Verilog", 0, 1)
    modules = write_verilog(llama2_ip, folder / "rtl", **ports(build))
    write_file_list(modules, folder / "rtl")
    say("a model for the testbench", 0, 1)
    story, bus = story_for(build), boot_bus(build)
    say("documents and driver", 0, 1)
    write_documents(folder)
    write_driver(folder / "driver")
    found = top_ports(modules[-1].file.read_text())
    widths = {name: bits for _, bits, name in found}
    names = ["image_{}", *(f"tape[{k}].{{}}" for k in range(len(story.places) - 1))]
    halves = [[REGISTERS[name.format(half)].address for half in ("low", "high")] for name in names]
    values = dict(
        windows=[(low, high, place) for (low, high), place in zip(halves, story.places)],
        config=config,
        build=build,
        bus=bus,
        story=story,
        base=BASE,
        caches={f"m_axi_cache_{k}": place for k, place in enumerate(story.places[1 + tape_count(build) :])},
        cache_bytes=cache_pages(build) * PAGE_BYTES,
        top=modules[-1].name,
        sources=[module.file.name for module in modules],
        ports=found,
        masters=axi_ports(build, widths),
        registers=REGISTERS,
        address_bits=ADDRESS_BITS,
        clock_mhz=CLOCK_MHZ,
    )
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True
    )
    environment.filters["astuple"] = astuple
    for name, template in RENDERED.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(environment.get_template(template).render(values))
    digits = bus.data_bits // 4
    (folder / "tb" / "memory.hex").write_text("".join(f"{word:0{digits}x}\n" for word in story.memory))
    shutil.copyfile(WAIVERS, folder / "rtl" / "lint.vlt")
    shutil.copyfile(LICENSE, folder / "LICENSE")


def replace_folder(target: Path, write: Callable[[Path], None]) -> None:
    """Have a folder written whole, in the place of an IP folder that is there; OSError when something else is."""
    if target.exists() and not (target / CORE).is_file():
        if not target.is_dir() or any(target.iterdir()):
            raise FileExistsError(f"{target}: is there and no IP folder (it has no {CORE})")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        write(made)
        if target.exists():
            target.rename(Path(scratch) / "before")
        made.rename(target)


def run(argv=None) -> int:
    """As `main`, but for signals."""
    parser = Parser(prog="ip", description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default="default", help=f"one of {', '.join(sorted(PRESETS))}")
    parser.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    parser.add_argument("--engines", type=int, help="layer engines, instead of the preset's")
    parser.add_argument("--weight-bits", type=int, help="bits of a weight, 8 or 16, instead of the preset's")
    parser.add_argument("--sequences", type=int, help="sequences side by side, instead of the preset's")
    parser.add_argument("--output", type=Path, help="folder to write (sim_build/ip/CONFIG, and what is given)")
    args = parser.parse_args(argv)
    try:
        given = {name: getattr(args, name) for name in ("lanes", "engines", "sequences", "weight_bits")}
        changes = {name: value for name, value in given.items() if value is not None}
        build = build_of(args.config, **changes)
        name = "-".join([args.config, *(f"{key}{value}" for key, value in changes.items())])
        folder = args.output or FOLDER / name
        with stages(Console(stderr=True)) as say:
            replace_folder(folder, lambda made: write_ip(name, build, made, say))
    except (ConfigError, ModelError, OSError) as error:
        print(f"ip: {error}", file=sys.stderr)
        return 2
    print(f"{folder}: fusesoc --cores-root {folder} run --target=sim llama2:myhdl:llama2_ip_{name.replace('-', '_')}")
    return 0


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong; 130 or 143 after a signal."""
    return stoppable("ip", lambda: run(argv))


if __name__ == "__main__":
    sys.exit(main())
