"""Faults of a design that the conversion to hierarchical Verilog refuses, leaving nothing; and stated ones."""

import numpy as np
import pytest
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import HierarchyError, convert, hblock, tied, unused
from llama2_myhdl.rtl.stream.stream import bit


@hblock
def inverter(a, y):
    @always_comb
    def invert():
        y.next = not a
    return invert


@hblock
def two_drivers(a, y):
    first = inverter(a, y)
    second = inverter(a, y)
    return first, second


@hblock
def child_and_process(a, y):
    first = inverter(a, y)

    @always_comb
    def drive():
        y.next = a
    return first, drive


@hblock
def undriven(a, y):
    nothing, unread = bit(), bit()
    first = inverter(nothing, y)
    second = inverter(a, unread)
    return first, second


@hblock
def unused_port(a, b, y):
    return inverter(a, y)


@hblock
def stated_unused(a, b, y):
    spare = bit()
    first = inverter(a, y)
    second = inverter(a, spare)
    unused(b, spare)
    return first, second


@hblock
def keyword(a, y):
    table = bit()
    first = inverter(a, table)
    second = inverter(table, y)
    return first, second


@hblock
def constant_output(a, y):
    first = inverter(a, y)
    second = inverter(a, tied(bit(1)))
    return first, second


@hblock
def listed(a, y):
    unused(a[1])
    return inverter(a[0], y)


@hblock
def keyword_process(a, y):
    @always(a.posedge)
    def release():
        y.next = not a

    return release


@hblock
def keyword_variable(a, y):
    @always_comb
    def choose():
        end = intbv(0)[2:]
        end[:] = 1
        if a:
            end[:] = 2
        y.next = end[1]

    return choose


@hblock
def parametrised(a, y, P=0):
    return inverter(a, y)


@pytest.mark.parametrize("deco, extra, message", [
    (two_drivers, {}, "another child drives"),
    (child_and_process, {}, "multiple drivers"),
    (undriven, {}, "driven but not read: unread"),
    (undriven, {}, "not driven: nothing"),
    (unused_port, {"b": bit()}, "not used: b"),
    (keyword, {}, "table is a Verilog keyword"),
    (keyword_process, {}, "release is a Verilog keyword"),
    (keyword_variable, {}, "end is a Verilog keyword"),
    (constant_output, {}, "connected to a constant"),
    (listed, {"a": [bit(), bit()]}, "pack it into one bus"),
    (parametrised, {"P": np.int64(3)}, "parameter P"),
    (parametrised, {"P": object()}, "parameter P"),
    (parametrised, {"Q": 1}, "parametrised: got an unexpected keyword argument 'Q'"),
])
def test_faults_are_refused_and_leave_nothing(tmp_path, deco, extra, message):
    with pytest.raises(HierarchyError, match=message):
        convert(deco, tmp_path, **{"a": bit(), "y": bit(), **extra})
    assert not list(tmp_path.iterdir())


def test_stated_faults_pass(tmp_path):
    assert [m.name for m in convert(stated_unused, tmp_path, bit(), bit(), bit())] == ["inverter", "stated_unused"]
