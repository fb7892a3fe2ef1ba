"""Forwards a stream to another one within the cycle. Plain blocks: they are inlined, assignments without logic."""
from myhdl import block

from llama2_myhdl.hdl.assigns import assigns
from llama2_myhdl.hdl.ports import HierarchyError


@block
def connect(s, m, **driven):
    """m is s: payload, valid and ready.

    Each payload field of m has the field of s of its name, or what `driven` says: a Signal or a constant, as in
    `connect(rows, m, tag=rows.kind, both=0)`. Fields of s that m does not have go nowhere. Latency 0.
    """
    forward, signals = _assignments("connect", s, m, driven, [(m.valid, s.valid), (s.ready, m.ready)])
    return forward(*signals)


@block
def carry(s, m, **driven):
    """The payload alone, as `connect` has it; what calls it makes the handshake."""
    forward, signals = _assignments("carry", s, m, driven, [])
    return forward(*signals)


def _assignments(name, s, m, driven, handshake):
    """A block that assigns, and the Signals to call it with."""
    stray = set(driven) - set(m.payload)
    if stray:
        raise HierarchyError(f"{name}: the sink has no field {', '.join(sorted(stray))}")
    missing = [field for field in m.payload if field not in driven and field not in s.payload]
    if missing:
        raise HierarchyError(f"{name}: nothing drives the sink's field {', '.join(missing)}")
    pairs = [(getattr(m, field), driven.get(field, getattr(s, field, None))) for field in m.payload] + handshake
    drives, arguments = [], {}
    for k, (target, source) in enumerate(pairs):
        constant = isinstance(source, int)
        drives.append(f"y{k}.next = {source if constant else f'x{k}'}")
        arguments |= {f"y{k}": target} if constant else {f"y{k}": target, f"x{k}": source}
    return assigns(name, tuple(drives), tuple(arguments)), arguments.values()
