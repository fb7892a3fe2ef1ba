"""What MyHDL asks the interpreter for each block and process, without what it does not look at.

It takes the whole call stack, with lines of source around every frame, to look at names and variables of a few; and it
finds and tokenizes the source of a process each time that one is made. Of a decoder's conversion both are more than
half, beneath a deep stack such as pytest's nearly all. The source of a block it tokenizes when its module is imported,
which is half of the time that the decoder's modules take, to find the line that messages name.
"""

import contextlib
import inspect
import sys
from functools import cache

from myhdl import _block, _instance, _util

FRAMES = 6  # of the stack, from the one that asks on: MyHDL 0.11.52 looks at no more


class _Inspect:
    """The module `inspect`, but for what a class below says."""

    def __getattr__(self, name):
        return getattr(inspect, name)


class _Quick(_Inspect):
    """The module `inspect` to MyHDL, with a short stack, and source that is read once in the life of a process."""

    def __init__(self):
        self._lines = {}  # of source, by file and code
        self.getsourcefile = cache(inspect.getsourcefile)

    def stack(self):
        """(frame, file, line, function, None, None) of the caller and of those below it."""
        frame, found = sys._getframe(1), []
        while frame and len(found) < FRAMES:
            code = frame.f_code
            found.append((frame, code.co_filename, frame.f_lineno, code.co_name, None, None))
            frame = frame.f_back
        return found

    def getsourcelines(self, thing):
        """As of `inspect`."""
        code = getattr(thing, "__code__", None)
        if code is None:
            return inspect.getsourcelines(thing)
        key = code.co_filename, code
        if key not in self._lines:
            self._lines[key] = inspect.getsourcelines(thing)
        return self._lines[key]

    def getsource(self, thing):
        """As of `inspect`."""
        return "".join(self.getsourcelines(thing)[0])


class _Placed(_Inspect):
    """The module `inspect` to MyHDL's decorator of blocks, which takes the first of what it is told for the line."""

    def getsourcelines(self, thing):
        """The number of the first line, in front."""
        return thing.__code__.co_firstlineno, None


_QUICK, _PLACED = _Quick(), _Placed()
_dedent = cache(_util._dedent)


@contextlib.contextmanager
def placed_alone():
    """While it lasts, MyHDL decorates a block without a look at its source."""
    before, _block.inspect = _block.inspect, _PLACED
    try:
        yield
    finally:
        _block.inspect = before


@contextlib.contextmanager
def quick_inspection():
    """While it lasts, MyHDL looks things up quickly; it finds the same."""
    users = (_block, _instance, _util)
    before, dedent = [module.inspect for module in users], _util._dedent
    for module in users:
        module.inspect = _QUICK
    _util._dedent = _dedent
    try:
        yield
    finally:
        for module, known in zip(users, before):
            module.inspect = known
        _util._dedent = dedent
