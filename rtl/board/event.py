"""What the board has to say: the stream of events, and bodies of frames as Signals."""

from myhdl import block

from llama2_myhdl.hdl.assigns import assigns
from llama2_myhdl.rtl.stream.stream import Stream, uint
from llama2_myhdl.spec.link import BODIES, BODY_BYTES, NUMBER_BITS

KIND_BITS, BODY_BITS = 8, 8 * BODY_BYTES


def event_stream() -> Stream:
    """A frame of the board: its first bytes and its body, see `spec/link.py`."""
    return Stream(kind=uint(KIND_BITS), number=uint(NUMBER_BITS), body=uint(BODY_BITS))


@block
def pack_body(kind, body, **values):
    """Drive `body` with the fields of a kind: Signals, or constants. A plain block: it is inlined."""
    parts, arguments, end = [], {"body": body}, BODY_BITS
    for name, low, bits in sorted(BODIES[kind], key=lambda field: -field[1]):
        value = values.pop(name)
        parts.append("0" * (end - low - bits))
        if isinstance(value, int):
            parts.append(f"{value:0{bits}b}")
        else:
            _check(name, bits, value)
            parts += ["0" * (bits - len(value)), name]
            arguments[name] = value
        end = low
    parts.append("0" * end)
    if values:
        raise ValueError(f"pack_body: kind {kind} has no field {', '.join(sorted(values))}")
    written = ", ".join(part if part in arguments else repr(part) for part in parts if part)
    return assigns("pack_body", (f"body.next = concat({written})",), tuple(arguments))(*arguments.values())


@block
def unpack_body(kind, body, **signals):
    """Drive Signals from the fields of a kind, as many low bits as each has. A plain block: it is inlined."""
    places = {name: (low, bits) for name, low, bits in BODIES[kind]}
    drives = []
    for name, signal in signals.items():
        low, bits = places[name]
        _check(name, bits, signal)
        part = f"body[{low}]" if signal._type is bool else f"body[{low + len(signal)}:{low}]"
        drives.append(f"{name}.next = {part}")
    return assigns("unpack_body", tuple(drives), ("body", *signals))(body, *signals.values())


def _check(name, bits, signal):
    if len(signal) > bits:
        raise ValueError(f"{name}: the link has {bits} bits for it, this build needs {len(signal)}")
