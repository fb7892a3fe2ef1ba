"""One register of the boot image that the datapath reads."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock


@hblock
def boot_register(clk, write, index, word, value, number):
    """Keeps the low bits of `word` when register `number` is written; value: out, its width says how many."""
    BITS = len(value)

    @always(clk.posedge)
    def keep():
        if write and index == number:
            value.next = word[BITS:]

    return keep
