"""Ports and parameters of a block call: which arguments are signals, what they are called, what tells variants apart.

A Signal argument is a port of the argument's name. An interface (a plain object that holds Signals, nested or not)
is one port a Signal, named `<argument>_<attribute>` as MyHDL names them. Everything else is a parameter.
"""
import copy
import dataclasses
import enum
import inspect
import types

from myhdl import ResetSignal, Signal
from myhdl._block import _Block
from myhdl._instance import _Instantiator
from myhdl._Signal import _Signal

_NO_INTERFACE = (_Signal, _Block, _Instantiator, types.ModuleType, enum.Enum)


class HierarchyError(ValueError):
    """A block that cannot be converted to its own module: says which block, which name and why."""


class TiedSignal(_Signal):
    """A Signal that never changes; see `tied`."""

    __slots__ = ()


class Series:
    """Interfaces or Signals as one port, one beside the other: `m = Series(Stream(..), Stream(..))` is a port of each
    Signal, `m_0_data`, `m_0_valid`, `m_1_data` .. in Verilog. To be indexed, counted and iterated like a tuple."""

    def __init__(self, *items):
        for k, item in enumerate(items):
            setattr(self, str(k), item)

    def __getitem__(self, k):
        return tuple(self)[k]

    def __len__(self):
        return len(vars(self))

    def __iter__(self):
        return iter(vars(self).values())


def tied(signal):
    """A constant for a child's input port: `tied(uint(4, 9))` connects the literal 4'h9.

    The signal gives type and value. Only for ports of child blocks: inside a process use a Python int.
    """
    return TiedSignal(signal._init)


def unused(*objs):
    """State that the block deliberately does not read these Signals or interfaces, so conversion raises no fault."""
    for obj in objs:
        for _, sig in flatten("", obj):
            sig._markRead()


def holds_signals(obj):
    """True for a Signal and for anything that holds one: interface, list, tuple, dict."""
    if isinstance(obj, _Signal):
        return True
    if isinstance(obj, (list, tuple)):
        return any(holds_signals(item) for item in obj)
    if isinstance(obj, dict):
        return any(holds_signals(item) for item in obj.values())
    return is_interface(obj)


def is_interface(obj):
    """True for a plain object with Signals among its attributes."""
    if isinstance(obj, _NO_INTERFACE) or callable(obj) or not hasattr(obj, "__dict__"):
        return False
    return any(holds_signals(value) for value in vars(obj).values())


def flatten(name, obj):
    """(port name, Signal) pairs of one argument, in MyHDL's order and with its names; empty for a parameter."""
    if isinstance(obj, _Signal):
        return [(name, obj)]
    if is_interface(obj):
        return [pair for attr, value in vars(obj).items() for pair in flatten(f"{name}_{attr}", value)]
    if holds_signals(obj):
        raise HierarchyError(f"{name}: a list, tuple or dict of signals cannot be a port: pack it into one bus")
    return []


def bind(func, args, kwargs):
    """The call's arguments by name, defaults included."""
    try:
        bound = inspect.signature(func).bind(*args, **kwargs)
    except TypeError as err:
        raise HierarchyError(f"block {func.__name__}: {err}") from err
    bound.apply_defaults()
    return bound


def port_dict(func, bound):
    """{port name: Signal} of a bound call; the names must be unique."""
    pairs = [pair for name, obj in bound.arguments.items() for pair in flatten(name, obj)]
    ports = dict(pairs)
    if len(ports) != len(pairs):
        names = [name for name, _ in pairs]
        double = sorted({name for name in names if names.count(name) > 1})
        raise HierarchyError(f"block {func.__name__}: two ports named {', '.join(double)}")
    for name, sig in ports.items():
        if not sig._nrbits:
            raise HierarchyError(f"block {func.__name__}: port {name} has no width; use uint, sint or bit")
    return ports


def parameters(func, bound):
    """{name: canonical text} of the arguments that are no ports, and of an interface's plain attributes."""
    found = {}
    for name, obj in bound.arguments.items():
        if is_interface(obj):
            found |= {f"{name}.{attr}": canonical(value) for attr, value in vars(obj).items()
                      if isinstance(value, (bool, int, str, tuple)) and not holds_signals(value)}
        elif not isinstance(obj, _Signal):
            try:
                found[name] = canonical(obj)
            except HierarchyError as err:
                raise HierarchyError(f"block {func.__name__}: parameter {name}: {err}") from None
    return found


def canonical(value):
    """Text that is equal for equal parameters in every process; an object without such a text is refused."""
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"({','.join(canonical(item) for item in value)})"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key!r}:{canonical(item)}' for key, item in sorted(value.items()))}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return f"{type(value).__qualname__}({','.join(f'{name}={canonical(item)}' for name, item in items)})"
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"{module_path(value)}.{value.__qualname__}"
    raise HierarchyError(f"{type(value).__name__} {value!r} is no int, str, tuple, dict, dataclass or function")


def module_path(obj):
    """Module of a function or class without its top package, whose name must not change the Verilog."""
    return obj.__module__.partition(".")[2] or obj.__module__


def port_type(sig):
    """What of a port's Signal shapes the module: width, bounds, type and the value that a reset would give."""
    init = 0 if isinstance(sig, TiedSignal) else int(sig._init)
    return (sig._nrbits, sig._min, sig._max, type(sig._init).__name__, isinstance(sig, ResetSignal), init)


def fresh(obj):
    """A copy of an argument with new, undriven Signals of the same type; parameters pass through."""
    if isinstance(obj, ResetSignal):
        return ResetSignal(obj._init, active=obj.active, isasync=obj.isasync)
    if isinstance(obj, _Signal):
        return Signal(copy.deepcopy(obj._init))
    if is_interface(obj):
        twin = copy.copy(obj)
        for attr, value in vars(obj).items():
            setattr(twin, attr, fresh(value))
        return twin
    return obj
