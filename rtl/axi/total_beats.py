"""How long a tape of equal parts is."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def total_beats(clk, enable, parts, part_beats, total, known):
    """total = parts * part_beats, by `parts` additions, once they are done: `known`; registers.

    enable: in, low for a cycle first; while it is high, parts and part_beats stand still. A product would need a
    multiplier for a number that is wanted once.
    """
    rest = uint(len(parts))

    @always(clk.posedge)
    def add():
        if not enable:
            rest.next = parts
            total.next = 0
            known.next = False
        elif rest != 0:
            rest.next = rest - 1
            total.next = total + part_beats
        else:
            known.next = True

    return add


def ports(part_bits, beat_bits, total_bits):
    """Fresh ports by name, of these widths."""
    numbers = dict(parts=uint(part_bits), part_beats=uint(beat_bits), total=uint(total_bits))
    return dict(clk=bit(), enable=bit(), **numbers, known=bit())
