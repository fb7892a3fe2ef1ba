"""`python -m rtl.convert [PRESET]`: the whole decoder as hierarchical Verilog in sim_build/verilog/PRESET."""

import argparse
import sys
import time
from pathlib import Path

from rtl.config import ConfigError
from rtl.decoder import decoder, ports
from rtl.hdl.hierarchy import convert
from rtl.presets import PRESETS, preset

FOLDER = Path(__file__).resolve().parents[1] / "sim_build" / "verilog"


def main(argv=None) -> int:
    """Exit status 0, or 2 after one line that says what was wrong."""
    parser = argparse.ArgumentParser(prog="rtl.convert", description=__doc__)
    parser.add_argument("config", nargs="?", default="default", help=f"one of {', '.join(sorted(PRESETS))}")
    parser.add_argument("--output", type=Path, help="folder to write to (sim_build/verilog/PRESET)")
    args = parser.parse_args(argv)
    try:
        build = preset(args.config).build
        began = time.monotonic()
        modules = convert(decoder, args.output or FOLDER / args.config, **ports(build))
    except (ConfigError, OSError) as error:
        print(f"rtl.convert: {error}", file=sys.stderr)
        return 2
    print(f"{len(modules)} modules in {modules[-1].file.parent}, {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
