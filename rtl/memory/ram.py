"""Simple dual-port RAM: one write port, one registered read port that can stand still."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import clog2

SMALL = 64  # words up to which a memory that stands in a short path is made of look-up tables
LATENCY = 1  # cycles of `load` from `raddr` to `rdata`


@hblock
def ram(clk, we, waddr, wdata, load, raddr, rdata, DEPTH=512, STYLE="auto"):
    """DEPTH words of len(wdata) bits; never read and write one address in the same cycle.

    we, waddr, wdata: write port; raddr: read address. load: rdata becomes the word there, else it holds. Data are
    unsigned.
    STYLE: the `ram_style` attribute for synthesis: auto, block, distributed or ultra.
    The contents are undefined until written (zero in MyHDL's own simulation). Put a register behind rdata.
    """
    limit = 1 << min(len(waddr), len(raddr))
    if not 1 <= DEPTH <= limit:
        raise ValueError(f"ram: DEPTH is 1 to {limit} for these addresses, not {DEPTH}")
    if STYLE not in ("auto", "block", "distributed", "ultra"):
        raise ValueError(f"ram: STYLE is auto, block, distributed or ultra, not {STYLE}")
    # what the template below names must exist before the first process
    words = {}  # only what was written: a large memory costs nothing until it is used
    WIDTH = len(wdata)
    if len(rdata) != WIDTH:
        raise ValueError(f"ram: wdata has {WIDTH} bits and rdata {len(rdata)}")

    @always(clk.posedge)
    def access():
        # an address past the end reads 0 and writes nothing; in Verilog it reads X
        if load:
            rdata.next = words.get(int(raddr), 0)
        if we and int(waddr) < DEPTH:
            words[int(waddr)] = int(wdata)

    for signal in (clk, we, waddr, wdata, load, raddr):
        signal.read = True
    rdata.driven = "reg"
    return access


ram.verilog_code = """
(* ram_style = "$STYLE" *) reg [$WIDTH-1:0] words_$rdata [0:$DEPTH-1];

always @(posedge $clk) begin
    if ($load) $rdata <= words_$rdata[$raddr];
    if ($we) words_$rdata[$waddr] <= $wdata;
end"""


def ports(depth, width, style="auto"):
    """Fresh ports and parameters, by name."""
    address = clog2(depth)
    words = dict(waddr=uint(address), wdata=uint(width), load=bit(), raddr=uint(address), rdata=uint(width))
    return dict(clk=bit(), we=bit(), **words, DEPTH=depth, STYLE=style)
