"""Hierarchical Verilog from MyHDL: `@hblock` marks a block that becomes its own module, `convert` writes them all.

In simulation an `@hblock` is a plain `@block`. During `convert` each call of one leaves a stub that prints an
instantiation. Every distinct (function, parameters, port types) is elaborated once on fresh signals, the modules are
named when all variants are known, and each is then printed by MyHDL's own converter, children first. The order and
all names follow from the source alone, so the output is the same byte for byte in every run.

This rests on private names of MyHDL 0.11.52; `tb/hdl/test_hierarchy.py` fails on any other version.
"""
import contextlib
import inspect
import os
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import myhdl
from myhdl import ToVerilogWarning
from myhdl._block import _Block, _name_set, _uniqueify_name, block_decorator
from myhdl._extractHierarchy import _memInfoMap
from myhdl.conversion._toVerilog import toVerilog

from llama2_myhdl.hdl import families, names, verilog
from llama2_myhdl.hdl.constants import named_constants
from llama2_myhdl.hdl.inspection import placed_alone, quick_inspection
from llama2_myhdl.hdl.instance import Stub, name_locals
from llama2_myhdl.hdl.ports import (
    HierarchyError,
    bind,
    fresh,
    module_path,
    parameters,
    port_dict,
    port_type,
    tied,
    unused,
)
from llama2_myhdl.hdl.progress import silent

__all__ = ["HierarchyError", "ModuleFile", "convert", "hblock", "tied", "unused"]

MYHDL_VERSION = "0.11.52"

_stubs = None  # while a block is elaborated for conversion: the list that its @hblock calls add to


class ModuleFile(NamedTuple):
    """One emitted module: its Verilog name, the file that it is in, and the name of the block that it comes from."""

    name: str
    file: Path
    block: str


class hblock(block_decorator):  # noqa: N801  a decorator
    """A MyHDL block that `convert` gives its own Verilog module.

    Arguments are Signals, interfaces and `Series` of them, which are ports, and UPPER_CASE parameters of plain values.
    An optional `verilog_code` attribute on the decorated function replaces its body in Verilog.

    `words`, if set on the decorated function, names arguments whose payload the block only moves: interfaces with a
    tuple `payload` of field names, `fields()`, their Signals, and `as_word()`, the same interface with one field of all
    their bits. The module then has one port for the word, and each instance connects the fields side by side.
    """

    words = ()

    def __init__(self, func):
        with placed_alone():
            super().__init__(func)

    def __call__(self, *args, **kwargs):
        if _stubs is not None:
            stub = Stub(self, args, kwargs, sys._getframe(1))
            _stubs.append(stub)
            return stub
        # _Block looks for the calling block at a fixed depth of the stack: it must be built here
        name = _uniqueify_name(f"{self.func.__name__}{self.calls}")
        self.calls += 1
        with quick_inspection():
            return _Block(self.func, self, name, self.srcfile, self.srcline, False, *args, **kwargs)


class _Module:
    """One distinct block: elaborated when found, printed when all are known, and then maybe one of a family."""

    def __init__(self, deco, bound, ports, key, number):
        self.func, self.key = deco.func, key
        self.name = f"{self.func.__name__}__{number}"  # until all are printed
        self.values = {name: value for name, value in bound.arguments.items() if name.isupper()}
        self.widths = {port: sig._nrbits for port, sig in ports.items()}
        self.fields = {"": ".".join(self.func.__module__.split(".")[-2:-1]), **parameters(self.func, bound)}
        self.fields |= self.widths
        args = [fresh(arg) for arg in bound.args]
        kwargs = {name: fresh(arg) for name, arg in bound.kwargs.items()}
        self.block, self.stubs = _elaborate(deco, args, kwargs)
        self.verilog = None  # when it is printed
        self.final = None  # its name and parameters, when all are

    def print(self, folder):
        """Convert the module; the children are printed already, so their port directions are known."""
        name_locals(self.func, self.block, self.stubs)
        for stub in self.stubs:
            stub.connect()
        with warnings.catch_warnings(record=True) as caught, named_constants() as constants:
            warnings.simplefilter("always")
            try:
                _run_converter(self.block, folder, self.name)
            except myhdl.Error as err:
                raise HierarchyError(f"module {self.func.__name__}: {err}") from err
        faults = [str(w.message) for w in caught if issubclass(w.category, ToVerilogWarning)]
        if faults:
            raise HierarchyError(f"module {self.func.__name__}: " + "; ".join(sorted(faults)))
        text = (folder / f"{self.name}.v").read_text(encoding="utf-8")
        names.check_identifiers(self.func.__name__, text)
        self.verilog = verilog.take_apart(text, constants.values())

    def variant(self, children):
        """What `families` compares; children: what stands for each module that is one of a family by now."""
        plain = {name: value for name, value in self.values.items() if type(value) in (int, str)}
        return families.Variant(self.verilog.renamed(children), plain, self.widths)


def _elaborate(deco, args, kwargs):
    """Run the block's function on these arguments; returns its `_Block` and the stubs that its children left."""
    global _stubs
    for known in myhdl._simulator._blocks:
        known.calls = 0
    _name_set.clear()
    _stubs = []
    try:
        inst = _Block(deco.func, deco, deco.func.__name__, deco.srcfile, deco.srcline, False, *args, **kwargs)
        return inst, _stubs
    finally:
        _stubs = None


def _run_converter(inst, folder, name):
    """MyHDL's converter without its second elaboration: the signals are fresh already."""
    options = dict(name=name, directory=str(folder), timescale=verilog.TIMESCALE, no_myhdl_header=True,
                   no_testbench=True, initial_values=False, trace=False, header="")
    saved = {option: getattr(toVerilog, option) for option in options}
    for option, value in options.items():
        setattr(toVerilog, option, value)
    try:
        toVerilog(inst)
    finally:
        for option, value in saved.items():
            setattr(toVerilog, option, value)


class _Design:
    """All distinct modules below one top, children before parents."""

    def __init__(self):
        self.modules, self.found = {}, 0

    def module(self, deco, bound, ports):
        key = repr((module_path(deco.func), deco.func.__qualname__, parameters(deco.func, bound),
                    [(name, port_type(sig)) for name, sig in ports.items()]))
        if key not in self.modules:
            module = _Module(deco, bound, ports, key, self.found)
            self.found += 1
            for stub in module.stubs:
                stub.module = self.module(stub.deco, stub.bound, stub.ports)
            self.modules[key] = module
        if self.modules[key].func is not deco.func:
            raise HierarchyError(f"two different blocks are both {deco.func.__module__}.{deco.func.__qualname__}: "
                                 "pass what differs as a parameter")
        return self.modules[key]

    def unite(self, prefix):
        """The final modules, children before parents, each with its block's function."""
        blocks, children, result = {}, {}, []
        for module in self.modules.values():
            blocks.setdefault(module.func.__name__, []).append(module)
        for base in _bottom_up(blocks):
            variants = {module: module.variant(children) for module in blocks[base]}
            groups = {}
            for module, variant in variants.items():
                groups.setdefault((module.func, families.skeleton(variant.module)), []).append(module)
            made = []  # (members, family)
            for members in groups.values():
                family = families.unite([variants[module] for module in members])
                made += [(members, family)] if family else [([m], families.unite([variants[m]])) for m in members]
            firsts = [members[0] for members, _ in made]
            found = names.variant_names(base, [first.fields for first in firsts], [first.key for first in firsts])
            for name, (members, family) in zip(found, made):
                result.append((replace(family.module, name=prefix + name), members[0].func))
                for module, settings in zip(members, family.settings):
                    module.final = prefix + name, settings
                    children[module.name] = families.instance(prefix + name, settings)
        double = {module.name.lower() for module, _ in result}
        if len(double) < len(result):
            raise HierarchyError(f"module names are not unique: {sorted(module.name for module, _ in result)}")
        return result


def _bottom_up(blocks):
    """Names of blocks in an order in which each comes behind those that its modules instantiate."""
    order, waiting = [], dict(blocks)
    while waiting:
        ready = [base for base, modules in waiting.items()
                 if not any(stub.module.func.__name__ in waiting for m in modules for stub in m.stubs)]
        if not ready:
            raise HierarchyError(f"blocks that instantiate each other: {', '.join(sorted(waiting))}")
        for base in ready:
            order.append(base)
            del waiting[base]
    return order


@contextlib.contextmanager
def _myhdl_state():
    """MyHDL keeps names and memories in process-wide tables: leave them as they were."""
    taken, memories = set(_name_set), dict(_memInfoMap)
    try:
        yield
    finally:
        _name_set.clear()
        _name_set.update(taken)
        _memInfoMap.clear()
        _memInfoMap.update(memories)


def convert(block, path, *args, progress=silent, prefix="", notice="", **kwargs):
    """Write `block(*args, **kwargs)` and all `@hblock`s below it as Verilog, one file a module, into the folder `path`.

    block: an @hblock; args, kwargs: its arguments (the Signals only give types, they are not touched); progress: see
    `hdl/progress.py`; prefix: of all module names; notice: a line for the top of each file, such as a licence.
    Returns ModuleFile (name, file, block) of each module, children before parents: the top is the last.
    Raises HierarchyError on what MyHDL cannot convert and on: a signal that is read and not driven, or driven and not
    read (say `unused(sig)` where it is meant); an unused port (likewise); two drivers; names that Verilog cannot take.
    Nothing is written then. A file whose text is unchanged is left alone.
    """
    path = Path(path)
    with _myhdl_state(), quick_inspection():
        design = _Design()
        bound = bind(block.func, args, kwargs)
        design.module(block, bound, port_dict(block.func, bound))
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path, prefix=".convert-") as scratch:
            for count, module in enumerate(design.modules.values(), 1):
                module.print(Path(scratch))
                progress("convert to Verilog", count, len(design.modules))
            final = design.unite(prefix)
            for module, func in final:
                text = verilog.put_together(module, notice, inspect.getdoc(inspect.getmodule(func)) or "")
                (Path(scratch) / f"{module.name}.v").write_text(text, encoding="utf-8")
            return [
                ModuleFile(module.name, _install(Path(scratch), path, f"{module.name}.v"), func.__name__)
                for module, func in final
            ]


def _install(scratch, path, filename):
    new, old = scratch / filename, path / filename
    if not (old.exists() and old.read_bytes() == new.read_bytes()):
        os.replace(new, old)
    return old
