"""What the parts of a cache in memory tell each other."""

from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, uint


def token_label(CFG) -> Payload:
    """What is known of the token whose rows are streamed.

    begin: its first row comes in this cycle. From registers, three cycles behind `begin` at the latest: turn: which of
    the two halves of the windows is its own, a cycle behind; rows: of a head that come from memory, the first ones;
    less: one less, if there are some; none: there are none. The others are in the windows.
    """
    rows = dict(rows=uint(CFG.pos_bits), less=uint(CFG.pos_bits))
    return Payload(begin=bit(), turn=bit(), **rows, none=bit())


def key_rows(CFG) -> Stream:
    """Key rows in the order of their positions: data, packed lanes; exponent."""
    return Stream(data=uint(CFG.max_head_dim * CFG.key_bits), exponent=uint(EXPONENT_BITS))


def value_rows(CFG) -> Stream:
    """Value rows, as `key_rows`."""
    return Stream(data=uint(CFG.max_head_dim * CFG.value_bits), exponent=uint(EXPONENT_BITS))


def position_rows(CFG) -> Stream:
    """The key row and the value row of a position."""
    key, value = key_rows(CFG), value_rows(CFG)
    exponents = dict(key_exponent=key.exponent, value_exponent=value.exponent)
    return Stream(key=key.data, value=value.data, **exponents)
