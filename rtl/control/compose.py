"""Words of registers from Signals, and Signals from words. Plain blocks, inlined: assignments, no logic."""

from myhdl import always_comb, block

from llama2_myhdl.hdl.assigns import assigns
from llama2_myhdl.hdl.hierarchy import unused
from llama2_myhdl.spec.control import REGISTERS, WORD_BITS


@block
def compose(word, name, **fields):
    """Drive `word` with the fields of the register `name`: Signals, no wider than their places. The others are zero."""
    places = REGISTERS[name].fields
    for field, signal in fields.items():
        if len(signal) > places[field].bits:
            raise ValueError(f"compose: {name}.{field} has {places[field].bits} bits, not {len(signal)}")
    parts = [f"({_bits(signal, k)} << {places[field].low})" for k, (field, signal) in enumerate(fields.items())]
    names = ("word", *(f"y{k}" for k in range(len(fields))))
    return assigns("compose", (f"word.next = {' | '.join(parts)}",), names)(word, *fields.values())


@block
def widen(word, value):
    """Drive `word` with a register of one field, or with all fields of a setting as they were written."""

    @always_comb
    def assign():
        word.next = value

    return assign


@block
def join_address(low, high, address):
    """An address from its two registers."""
    HIGH = len(address) - WORD_BITS

    if HIGH:

        @always_comb
        def join():
            address.next = (high[HIGH:] << WORD_BITS) | low

    else:
        unused(high)

        @always_comb
        def join():
            address.next = low

    return join


def _bits(signal, k: int) -> str:
    """Source of a signal as an unsigned number."""
    return f"y{k}[{len(signal)}:]" if signal.min is not None and signal.min < 0 else f"y{k}"
