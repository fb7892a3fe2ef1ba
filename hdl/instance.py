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
        actuals = {port: [sig] for port, sig in port_dict(deco.func, self.bound).items()}
        for name in deco.words:
            actuals |= self._as_word(name, self.bound.arguments[name])
        self.ports = port_dict(deco.func, self.bound)  # the child's own, whose types are what counts
        self.actuals = {port: actuals[port] for port in self.ports}  # what is connected to them, the lowest bits first
        self.module = None

    def _as_word(self, name, given):
        """The argument becomes one with a single word for payload; what is connected to that."""
        twin = self.bound.arguments[name] = given.as_word()
        (field,) = twin.payload
        return {f"{name}_{field}": given.fields()}

    def connect(self):
        """Tell MyHDL what the child does to the parent's signals."""
        directions = self.module.verilog.directions
        pins = [(port, k, sig) for port, sigs in self.actuals.items() for k, sig in enumerate(sigs)]
        for port, k, sig in pins:
            if isinstance(sig, TiedSignal):
                if directions[port] == "output":
                    raise HierarchyError(f"{self.name}: output {port} is connected to a constant")
                continue
            self.sigdict[f"{port}_{k}" if k else port] = sig
            sig._markUsed()
            if directions[port] == "input":
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
        pins = [f"    .{port}({_actual(sigs)})" for port, sigs in self.stub.actuals.items()]
        return f"\n{self.stub.module.name} {self.stub.name} (\n" + ",\n".join(pins) + "\n);\n"


def _actual(sigs):
    if len(sigs) > 1:
        return f"{{{', '.join(_net(sig) for sig in reversed(sigs))}}}"
    return _net(sigs[0])


def _net(sig):
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
        name = base = "u_" + next((name for name, obj in values if obj is stub), stub.func.__name__)
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
