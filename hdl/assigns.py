"""Plain blocks of one combinational process that is written out as generated source: assignments, and no logic.

MyHDL wants every signal of a process by a name of its own, so what forwards a bus or an interface of any shape is
generated. The block is inlined into the module that calls it, where it is a list of `assign`.
"""
import functools
import linecache

from myhdl import always_comb, block, concat


@functools.cache
def assigns(name, drives, arguments):
    """A block called `name` of these `arguments` (a tuple of names) whose process is `drives`, a tuple of assignments.

    Equal ones are made once. Signals are arguments one by one: MyHDL refuses a signal that two lists in use hold.
    """
    body = "".join(f"        {drive}\n" for drive in drives)
    source = f"def {name}({', '.join(arguments)}):\n    @always_comb\n    def comb():\n{body}    return comb\n"
    # MyHDL reads a block's source through inspect, which looks generated files up in linecache
    filename = f"<{name} of {len(arguments)} #{len(linecache.cache)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope = {"always_comb": always_comb, "concat": concat}
    exec(compile(source, filename, "exec"), scope)
    return block(scope[name])
