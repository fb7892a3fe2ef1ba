"""Simple dual-port RAM of any depth: a register behind every bank, and one behind all of them."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.hdl.lanes import either
from llama2_myhdl.rtl.memory import ram as memory
from llama2_myhdl.rtl.memory import ram_bank as one_bank
from llama2_myhdl.rtl.memory.banks import REST, banks
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.memory.ram_bank import ram_bank
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2


def latency(depth: int, width: int, spread: bool = False) -> int:
    """Cycles from `raddr` to `rdata`."""
    alone = len(banks(depth, width)) == 1
    return (memory.LATENCY if alone else one_bank.latency(spread)) + 1


@hblock
def banked_ram(clk, we, waddr, wdata, raddr, rdata, DEPTH, SPREAD=False):
    """DEPTH words of len(wdata) bits; never read and write one address in the same cycle.

    we, waddr, wdata: write port; raddr: read address; rdata: the word, `latency` cycles later, a register. Data are
    unsigned; the contents are undefined until written.
    SPREAD: several banks may lie all over the device, and have more registers, `ram_bank`'s, for three cycles more.

        raddr ─┬─> bank 0 ─> register ─┐
               ├─> bank 1 ─> register ─or─> register ─> rdata      all banks but one give 0
               └─> ...                 ┘
    """
    WORDS = banks(DEPTH, len(rdata))
    COUNT = len(WORDS)
    found = uint(len(rdata))

    @always(clk.posedge)
    def register():
        rdata.next = found

    if COUNT == 1:
        ram_ = ram(clk, we=we, waddr=waddr, wdata=wdata, load=tied(bit(True)), raddr=raddr, rdata=found, DEPTH=DEPTH,
                   STYLE="auto")
        return ram_, register

    parts = [uint(len(rdata)) for _ in WORDS]
    ram_bank_ = [ram_bank(clk, we=we, waddr=waddr, wdata=wdata, raddr=raddr, rdata=parts[k],
                          PLACE=sum(WORDS[:k]) >> clog2(WORDS[k]), DEPTH=WORDS[k],
                          STYLE="block" if WORDS[k] > REST else "distributed", SPREAD=SPREAD)
                 for k in range(COUNT)]
    joining = either(parts, found)
    return ram_bank_, joining, register


def ports(depth, width, spread=False):
    """Fresh ports and parameters, by name."""
    address = clog2(depth)
    words = dict(waddr=uint(address), wdata=uint(width), raddr=uint(address), rdata=uint(width))
    return dict(clk=bit(), we=bit(), **words, DEPTH=depth, SPREAD=spread)
