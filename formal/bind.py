"""Properties beside the Verilog that they are about: text of `formal/properties/` in front of a module's `endmodule`.

There they see the module's registers, and the module stays what the conversion has made of it. A property that a block
needs of what drives it stands as `environment(..)`: assumed where the block is proved alone, proved where it stands in
another one. A `cover(..)` counts where the block is proved alone.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

PROPERTIES = Path(__file__).with_name("properties")
EVERYWHERE = "check"  # the block whose fault must not show, wherever it stands
_COVER = re.compile(r"^ *cover\(.*\n", re.M)
_ENVIRONMENT = re.compile(r"\benvironment\(")
_START = ["reg f_past = 0;  // the reset is behind us", "always @(posedge clk) f_past <= 1;"]


class BindError(ValueError):
    """Properties and a module do not belong together; the text says which."""


def _read(name: str) -> str:
    return (PROPERTIES / f"{name}.v").read_text()


def properties(names: Sequence[str], constants: Mapping[str, int | str], alone: bool) -> str:
    """The text of properties, files of `formal/properties/` by name, which share one `f_past`.

    constants: what they take from a proof: numbers, as localparams, and places in the hierarchy, which are put in as
    text; alone: the module is the top, which starts in reset.
    """
    places = {name: value for name, value in constants.items() if isinstance(value, str)}
    lines = [f"localparam {name} = {value};" for name, value in constants.items() if name not in places]
    lines += [*_START, *(["always @* if (!f_past) assume(rst);"] if alone else [])]
    text = "\n".join([*lines, *map(_read, names)])
    for name, place in places.items():
        text = text.replace(f"{name}.", place)
    if not alone:
        text = _COVER.sub("", text)
    return _ENVIRONMENT.sub("assume(" if alone else "assert(", text)


def bound(verilog: str, text: str) -> str:
    """The Verilog of one module with the text at its end."""
    before, end, after = verilog.rpartition("\nendmodule")
    if not end or "\nendmodule" in before:
        raise BindError("properties are bound to a file with one module")
    return f"{before}\n{text}\n{end.lstrip()}{after}"
