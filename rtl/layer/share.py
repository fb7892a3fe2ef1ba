"""How many layers an engine has: all get `low`, the first `extra` ones have one more."""

from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock


@hblock
def share(clk, low, extra, n_layers, INDEX):
    """n_layers: out, a register, those of engine INDEX; low, extra: shape registers."""

    @always(clk.posedge)
    def divide():
        if extra > INDEX:
            n_layers.next = low + 1
        else:
            n_layers.next = low

    return divide
