"""Packed buses and lists of Signals: element 0 in the least significant bits, combinational, no logic.

A list of Signals cannot be a port, and MyHDL does not emit a variable part-select, so ports are packed buses and each
block unpacks them. The processes are written out element by element as generated source. All of these are plain
blocks: they are inlined into the module that calls them. A list of a single Signal that a process indexes becomes an
array of one, which Icarus 11 aborts on: use at least two lanes.
"""
from myhdl import block

from llama2_myhdl.hdl.assigns import assigns
from llama2_myhdl.hdl.ports import HierarchyError


@block
def unpack(bus, signals):
    """Drive each of `signals` from its part of `bus`, signed or not by its own type."""
    _check("unpack", bus, signals)
    drives, low = [], 0
    for k, signal in enumerate(signals):
        drives.append(f"y{k}.next = {_part(signal, low)}")
        low += len(signal)
    return assigns("unpack", tuple(drives), _names(signals))(bus, *signals)


@block
def pack(signals, bus):
    """Drive `bus` with all `signals` side by side."""
    _check("pack", bus, signals)
    parts = [_bits(signal, f"y{k}") for k, signal in enumerate(signals)]
    whole = f"concat({', '.join(reversed(parts))})" if len(parts) > 1 else parts[0]
    return assigns("pack", (f"bus.next = {whole}",), _names(signals))(bus, *signals)


@block
def either(signals, bus):
    """Drive `bus` with the bitwise or of all unsigned `signals` of its width."""
    for signal in signals:
        _check("either", bus, [signal])
    whole = " | ".join(f"y{k}" for k in range(len(signals)))
    return assigns("either", (f"bus.next = {whole}",), _names(signals))(bus, *signals)


@block
def unpack_payload(bus, stream):
    """Drive all payload fields of a Stream from `bus`, the first field in the least significant bits."""
    return unpack(bus, stream.fields())


@block
def pack_payload(stream, bus):
    """Drive `bus` with all payload fields of a Stream, the first field in the least significant bits."""
    return pack(stream.fields(), bus)


def _check(what, bus, signals):
    width = sum(len(signal) for signal in signals)
    if len(bus) != width or not signals:
        raise HierarchyError(f"{what}: {len(signals)} signals of {width} bits in all do not fit a bus of {len(bus)}")


def _names(signals):
    """Names of the generated block's arguments."""
    return ("bus", *(f"y{k}" for k in range(len(signals))))


def _part(signal, low):
    """Source of the slice of `bus` that drives the signal."""
    if signal._type is bool:
        return f"bus[{low}]"
    return f"bus[{low + len(signal)}:{low}]" + (".signed()" if signal.min < 0 else "")


def _bits(signal, name):
    """Source of a signal as unsigned bits: concat takes no negative number."""
    return name if signal._type is bool else f"{name}[{len(signal)}:]"
