"""The units of the hardware: the folders of rtl/."""

import re

from llama2_myhdl.base.folders import PROJECT


def units() -> dict[str, str]:
    """Folder of rtl/ in which each block is; those beside the folders are of `top`."""
    found = {}
    for file in sorted((PROJECT / "rtl").rglob("*.py")):
        unit = file.relative_to(PROJECT / "rtl").parts[0]
        for block in re.findall(r"^@hblock\ndef (\w+)", file.read_text(), re.M):
            found[block] = "top" if unit.endswith(".py") else unit
    return found
