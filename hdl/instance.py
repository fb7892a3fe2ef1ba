"""Instances of child modules: what stands for a child in its parent, and the names that instances and nets get."""
import types

from myhdl._block import _Block
from myhdl._extractHierarchy import _UserVerilogCode
from myhdl._Signal import _Signal

from llama2_myhdl.hdl.ports import HierarchyError, TiedSignal, bind, is_interface, port_dict


class Stub(_Block):
    """Stands for a child in its parent: no processes, only an instantiation."""

    def __init__(self, deco, args, kwargs, frame):
        self.deco, self.args, self.kwargs = deco, args, kwargs
        # a comprehension has a frame of its own up to Python 3.11
        self.frame = frame.f_back if frame.f_code.co_name == "<listcomp>" else frame
        self.func, self.skipname, self.modctxt, self.callername = deco.func, False, True, frame.f_code.co_name
        self.callinfo = types.SimpleNamespace(symdict={**self.frame.f_globals, **self.frame.f_locals})
        self.subs, self.sigdict, self.memdict, self.symdict = [], {}, {}, {}
        self.name = self.__name__ = deco.func.__name__
        self.verilog_code = _Instantiation(self)
        self.bound = bind(deco.func, args, kwargs)
        self.ports = port_dict(deco.func, self.bound)
        self.module = None

    def connect(self):
        """Tell MyHDL what the child does to the parent's signals."""
        for port, sig in self.ports.items():
            if isinstance(sig, TiedSignal):
                if self.module.directions[port] == "output":
                    raise HierarchyError(f"{self.name}: output {port} is connected to a constant")
                continue
            self.sigdict[port] = sig
            sig._markUsed()
            if self.module.directions[port] == "input":
                sig._markRead()
            elif sig._driven:
                raise HierarchyError(f"{self.name}: port {port} drives a signal that another child drives")
            else:
                sig.driven = "wire"


class _Instantiation(_UserVerilogCode):
    """Prints a stub once MyHDL has named the parent's signals."""

    __slots__ = ("stub",)

    def __init__(self, stub):
        self.stub = stub

    def __str__(self):
        pins = [f"    .{port}({_actual(sig)})" for port, sig in self.stub.ports.items()]
        return f"\n{self.stub.module.name} {self.stub.name} (\n" + ",\n".join(pins) + "\n);\n"


def _actual(sig):
    if isinstance(sig, TiedSignal):
        return f"{sig._nrbits}'h{int(sig._init) & ((1 << sig._nrbits) - 1):x}"
    return sig._name


def _named_values(obj, name):
    """(name, value) of an object and of what lists, tuples, dicts and interfaces hold."""
    yield name, obj
    if isinstance(obj, (list, tuple)):
        items = enumerate(obj)
    elif isinstance(obj, dict):
        items = obj.items()
    else:
        items = vars(obj).items() if is_interface(obj) else ()
    for key, item in items:
        if isinstance(key, (int, str)):
            yield from _named_values(item, f"{name}_{key}")


def name_locals(func, block, stubs):
    """Name instances and nets after the Python variables that hold them when the block's function has ended, without
    the underscore that tells `fifo_ = fifo(..)` from its block."""
    taken = set()
    for stub in stubs:
        values = [pair for var, obj in stub.frame.f_locals.items() for pair in _named_values(obj, var.rstrip("_"))]
        name = base = "u_" + next((name for name, obj in values if obj is stub), stub.module.name)
        number = 0
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        stub.name = stub.__name__ = name
        if stub.frame.f_code is func.__code__:
            for net, obj in values:
                if isinstance(obj, _Signal) and not isinstance(obj, TiedSignal):
                    block.sigdict.setdefault(net, obj)
        stub.frame = None  # it keeps every local alive
