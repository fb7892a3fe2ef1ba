"""Constants keep their names: the name is printed where MyHDL's converter prints the number, and its value kept."""

import ast
import contextlib
import re

from myhdl.conversion._toVerilog import _ConvertVisitor

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_LARGEST = (1 << 31) - 1  # larger ones are printed with their width, which a name would hide


class Constants:
    """The named constants of one module: a name for each name and value."""

    def __init__(self):
        self._names: dict[tuple[str, int], str] = {}

    def name(self, name: str, value: int) -> str:
        """Under which name the module has this value of `name`: blocks that are inlined may have another of it."""
        if (name, value) not in self._names:
            others = sum(known == name for known, _ in self._names)
            self._names[name, value] = f"{name}_{others}" if others else name
        return self._names[name, value]

    def values(self) -> dict[str, int]:
        """Values by name, in the order of their first use."""
        return {name: value for (_, value), name in self._names.items()}


def _is_constant(name: str, value) -> bool:
    return type(value) is int and abs(value) <= _LARGEST and bool(_NAME.fullmatch(name))


@contextlib.contextmanager
def named_constants():
    """While it lasts, conversions print UPPER_CASE names of ints as names; yields the Constants that they print."""
    found = Constants()
    names, cases, numbers = _ConvertVisitor.getName, _ConvertVisitor.mapToCase, _ConvertVisitor.IntRepr
    labels: dict[int, str] = {}  # of the case statement that is printed

    def get_name(visitor, node):
        name, tree = node.id, visitor.tree
        local = name in tree.vardict or name in tree.argnames
        if not local and _is_constant(name, value := tree.symdict.get(name)):
            visitor.write(found.name(name, value))
        else:
            names(visitor, node)

    def map_to_case(visitor, node, *args):
        nonlocal labels
        outer, labels = labels, {}
        for test, _ in node.tests:
            right = test.comparators[0] if isinstance(test, ast.Compare) else None
            if isinstance(right, ast.Name) and _is_constant(right.id, value := test.case[1]):
                labels[value] = found.name(right.id, value)
        try:
            cases(visitor, node, *args)
        finally:
            labels = outer

    def int_repr(visitor, value, radix=""):
        # only the labels of a case statement are printed in this radix
        if radix == "hex" and value in labels:
            return labels[value]
        return numbers(visitor, value, radix)

    _ConvertVisitor.getName, _ConvertVisitor.mapToCase, _ConvertVisitor.IntRepr = get_name, map_to_case, int_repr
    try:
        yield found
    finally:
        _ConvertVisitor.getName, _ConvertVisitor.mapToCase, _ConvertVisitor.IntRepr = names, cases, numbers
