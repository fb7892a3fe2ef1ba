"""`python -m llama2_myhdl.rtl.convert [PRESET] [--lanes N] [--engines N]`: the whole decoder as hierarchical Verilog.

It goes to sim_build/verilog/PRESET; what is given of another build is part of the folder's name.
"""

import sys
import time
from pathlib import Path

from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.base.options import Parser
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.rtl.verilog import write_file_list, write_verilog
from llama2_myhdl.spec.config import ConfigError
from llama2_myhdl.spec.presets import PRESETS, build_of

FOLDER = GENERATED / "verilog"
CHANGES = ("lanes", "engines", "weight_bits")  # of a preset's build


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = Parser(prog="convert", description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default="default", help=f"one of {', '.join(sorted(PRESETS))}")
    parser.add_argument("--lanes", type=int, help="weights a beat, instead of the preset's")
    parser.add_argument("--engines", type=int, help="layer engines, instead of the preset's")
    parser.add_argument("--weight-bits", type=int, help="bits of a weight, 8 or 16, instead of the preset's")
    parser.add_argument(
        "--output",
        type=Path,
        help="folder to write to (sim_build/verilog/PRESET, of another build PRESET-lanesN-enginesN)",
    )
    args = parser.parse_args(argv)
    try:
        changes = {name: getattr(args, name) for name in CHANGES if getattr(args, name) is not None}
        build = build_of(args.config, **changes)
        default = FOLDER / "-".join([args.config, *(f"{name}{value}" for name, value in changes.items())])
        began = time.monotonic()
        folder = args.output or default
        modules = write_verilog(decoder, folder, **ports(build))
        listed = write_file_list(modules, folder)
    except (ConfigError, OSError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 2
    print(f"{len(modules)} modules, listed in {listed}, {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
