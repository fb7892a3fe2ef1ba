"""Variants of a block that differ in numbers become one module with parameters.

Two variants belong together when their texts are the same but for numbers and strings. Each place where they differ
gets an expression of the parameters (the block's own, and widths of its ports) whose value is right for every variant,
so that each instance is what its variant was, by construction. Where there is none they stay modules apart.
"""

import re
from dataclasses import dataclass, replace
from itertools import permutations

from llama2_myhdl.hdl.verilog import Module

# a string, a number with a width, a plain number; digits within a name are none
_TOKEN = re.compile(r'"[^"\n]*"|\b\d*\'[bdh][0-9a-fA-Fx]+|(?<![\w$\'.])\d+(?![\w\'])')
_ZERO = re.compile(r"(\d+)'[bdh]0+")
_RANGE = re.compile(r"(?<=[\[:])\(([^][]+) - 1\)(?=[\]:])")  # its end, which is written without parentheses
_MOST_OFFSET = 64  # added to a parameter
Values = tuple  # of one quantity, by variant


@dataclass(frozen=True)
class Variant:
    """A module as converted; parameters: the block's own that are numbers or text; widths: of its ports, bits."""

    module: Module
    parameters: dict[str, int | str]
    widths: dict[str, int]


@dataclass(frozen=True)
class Family:
    """One module in place of several; settings: its parameters' values for each of them, as text, in their order."""

    module: Module
    settings: list[dict[str, str]]


def _clog2(value: int) -> int:
    return max(value - 1, 0).bit_length()


# of one parameter, the plainest first
_FORMS = (
    ("{}", lambda p: p),
    ("{} - 1", lambda p: p - 1),
    ("({0} > 1 ? $clog2({0}) : 1)", lambda p: _clog2(p) if p > 1 else 1),
    ("({0} > 1 ? $clog2({0}) : 1) - 1", lambda p: _clog2(p) - 1 if p > 1 else 0),
    ("$clog2({})", _clog2),
    ("$clog2({}) - 1", lambda p: _clog2(p) - 1),
    ("$clog2({} + 1)", lambda p: _clog2(p + 1)),
    ("$clog2({} + 1) - 1", lambda p: _clog2(p + 1) - 1),
    ("2 * {}", lambda p: 2 * p),
    ("2 * {} - 1", lambda p: 2 * p - 1),
    ("(1 << {})", lambda p: 1 << p if 0 <= p < 31 else None),
    ("(1 << {}) - 1", lambda p: (1 << p) - 1 if 0 <= p < 31 else None),
    ("(1 << ({} - 1))", lambda p: 1 << (p - 1) if 0 < p < 32 else None),
    ("(1 << ({} - 1)) - 1", lambda p: (1 << (p - 1)) - 1 if 0 < p <= 32 else None),
)
_PAIRS = (
    ("{} * {}", lambda p, q: p * q),
    ("{} * {} - 1", lambda p, q: p * q - 1),
    ("{} + {}", lambda p, q: p + q),
    ("{} + {} - 1", lambda p, q: p + q - 1),
    ("{} - {}", lambda p, q: p - q),
    ("{} - {} + 1", lambda p, q: p - q + 1),
    ("(1 << ({} - {})) - 1", lambda p, q: (1 << (p - q)) - 1 if 0 <= p - q < 31 else None),
    ("(1 << ({} - {} + 1)) - 1", lambda p, q: (1 << (p - q + 1)) - 1 if 0 <= p - q < 31 else None),
)


def _simple(wanted: Values, known: dict[str, Values]) -> str | None:
    for form, function in _FORMS:
        for name, values in known.items():
            if all(isinstance(value, int) for value in values) and tuple(map(function, values)) == wanted:
                return form.format(name)
    return None


def _expression(wanted: Values, known: dict[str, Values]) -> str | None:
    """An expression of the known quantities with these values; None when there is none."""
    if found := _simple(wanted, known):
        return found
    numbers = {name: values for name, values in known.items() if all(isinstance(value, int) for value in values)}
    for name, values in numbers.items():
        offset = wanted[0] - values[0]
        if abs(offset) <= _MOST_OFFSET and tuple(value + offset for value in values) == wanted:
            return f"{name} {'+' if offset > 0 else '-'} {abs(offset)}"
    for (a, first), (b, second) in permutations(numbers.items(), 2):
        for form, function in _PAIRS:
            if tuple(map(function, first, second)) == wanted:
                return form.format(a, b)
    return None


def _texts(module: Module) -> list[str]:
    """What of a module may differ between variants, piece by piece: port ranges, values of constants, body."""
    return [*(port.span for port in module.ports), *module.constants.values(), module.body]


def _with_texts(module: Module, texts: list[str], parameters: dict[str, str]) -> Module:
    """The module with other `_texts`; a constant that is a parameter now is none any more."""
    left = iter(texts)
    ports = tuple(replace(port, span=next(left)) for port in module.ports)
    constants = {name: next(left) for name in module.constants}
    constants = {name: value for name, value in constants.items() if name != value}
    return replace(module, ports=ports, constants=constants, body=next(left), parameters=parameters)


def skeleton(module: Module) -> tuple:
    """Equal for modules that differ in numbers and strings only."""

    def masked(match: re.Match) -> str:
        return '""' if match[0][0] == '"' else "''" if "'" in match[0] else "#"

    ports = tuple(replace(port, span="") for port in module.ports)
    return ports, tuple(module.constants), *(_TOKEN.sub(masked, text) for text in _texts(module))


def _widths(variants: list[Variant], known: dict[str, Values]) -> dict[str, Values]:
    """Port widths that differ and that no block parameter explains, named after their port; WIDTH if only one."""
    found: dict[str, Values] = {}
    for port in variants[0].widths:
        values = tuple(variant.widths[port] for variant in variants)
        if len(set(values)) > 1 and not _simple(values, known | found):
            found[f"{port.upper()}_WIDTH"] = values
    if len(found) == 1 and "WIDTH" not in known:
        found = {"WIDTH": next(iter(found.values()))}
    return found


def _token(texts: Values, known: dict[str, Values]) -> str | None:
    """What stands for these tokens, one of each variant."""
    if len(set(texts)) == 1:
        return texts[0]
    if texts[0][0] == '"':
        return next((name for name, values in known.items() if tuple(f'"{v}"' for v in values) == texts), None)
    zeros = [_ZERO.fullmatch(text) for text in texts]
    if all(zeros):
        width = _expression(tuple(int(match[1]) for match in zeros), known)
        return width and f"{{({width}){{1'b0}}}}"
    if any("'" in text for text in texts):
        return None
    found = _expression(tuple(map(int, texts)), known)
    return found if found is None or re.fullmatch(r"\w+", found) else f"({found})"


def unite(variants: list[Variant]) -> Family | None:
    """One module for variants of one skeleton; None when their differences are no expressions of parameters."""
    if len(variants) == 1:
        return Family(variants[0].module, [{}])
    shared = [name for name in variants[0].parameters if all(name in variant.parameters for variant in variants)]
    own = {name: tuple(variant.parameters[name] for variant in variants) for name in shared}
    known = {name: values for name, values in own.items() if len(set(values)) > 1}
    known |= _widths(variants, known)
    texts = [_texts(variant.module) for variant in variants]
    tokens = [[token for text in pieces for token in _TOKEN.findall(text)] for pieces in texts]
    chosen = [_token(found, known) for found in zip(*tokens, strict=True)]
    if None in chosen:
        return None
    place = iter(chosen)
    united = [_RANGE.sub(r"\1-1", _TOKEN.sub(lambda match: next(place), text)) for text in texts[0]]
    used = {name: values for name, values in known.items() if re.search(rf"\b{name}\b", "\n".join(united))}

    def text(value: int | str) -> str:
        return f'"{value}"' if isinstance(value, str) else str(value)

    settings = [{name: text(values[k]) for name, values in used.items()} for k in range(len(variants))]
    return Family(_with_texts(variants[0].module, united, settings[0]), settings)


def instance(name: str, settings: dict[str, str]) -> str:
    """What stands in front of an instance's name."""
    if not settings:
        return name
    return f"{name} #({', '.join(f'.{key}({value})' for key, value in settings.items())})"
