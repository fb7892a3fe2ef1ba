"""What MyHDL looks up quickly: what `inspect` would have told it, the same bytes, and all as before behind it."""

import inspect
from contextlib import nullcontext

import pytest
from myhdl import _block, _instance, _util

from llama2_myhdl.hdl import hierarchy
from llama2_myhdl.hdl.inspection import FRAMES, quick_inspection
from tb.hdl import design


def at_depth(count, what):
    """Call it some frames further down."""
    return at_depth(count - 1, what) if count else what()


def test_the_stack_is_the_nearest_frames():
    def both():
        return _block.inspect.stack(), inspect.stack()

    with quick_inspection():
        quick, whole = at_depth(20, both)
    assert len(quick) == FRAMES < len(whole)
    assert [(record[0], record[3]) for record in quick] == [(record[0], record[3]) for record in whole[:FRAMES]]


def test_source_is_the_same_and_read_once():
    with quick_inspection():
        for function in (at_depth, test_source_is_the_same_and_read_once, design.machine.func):
            assert _util.inspect.getsource(function) == inspect.getsource(function)
            assert _util.inspect.getsourcelines(function) == inspect.getsourcelines(function)
        lines = _util.inspect.getsourcelines(at_depth)
        assert _util.inspect.getsourcelines(at_depth) is lines
        assert _instance.inspect.isfunction(at_depth)  # the rest is that of `inspect`


def test_a_block_knows_its_line_without_its_source(monkeypatch):
    """Also where it is decorated while MyHDL looks things up quickly."""
    with quick_inspection():
        quick = _block.inspect
        monkeypatch.setattr(inspect, "getsourcelines", lambda *_: pytest.fail("source is read"))
        decorated = hierarchy.hblock(at_depth)
        assert _block.inspect is quick
    assert (decorated.srcfile, decorated.srcline) == (__file__, at_depth.__code__.co_firstlineno)
    assert decorated.func is at_depth and decorated.__doc__ == at_depth.__doc__


def test_the_same_bytes(tmp_path, monkeypatch):
    texts = []
    for name, context in (("quick", quick_inspection), ("slow", nullcontext)):
        monkeypatch.setattr(hierarchy, "quick_inspection", context)
        modules = hierarchy.convert(design.machine, tmp_path / name, **design.ports())
        texts.append({module.name: module.file.read_text() for module in modules})
    assert texts[0] == texts[1] and len(texts[0]) > 3


def test_all_is_as_before_behind_it():
    dedent = _util._dedent
    with pytest.raises(ZeroDivisionError), quick_inspection():
        assert _block.inspect is not inspect and _util._dedent is not dedent
        raise ZeroDivisionError
    assert _block.inspect is inspect and _instance.inspect is inspect and _util.inspect is inspect
    assert _util._dedent is dedent
