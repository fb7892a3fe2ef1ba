"""A register that a bank has to itself."""
from myhdl import always

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint


@hblock
def private(clk, d, q):
    """q = d, a cycle ago; synthesis does not merge it with others of the same input (attribute `keep`).

    Ports: clk; d, q unsigned, of one width. One register for all would lie far from most of what it leads to.
    """
    WIDTH = len(d)  # the template below names it
    if len(q) != WIDTH:
        raise ValueError(f"private: q must be as wide as d, {WIDTH} bits, is {len(q)}")

    @always(clk.posedge)
    def hold():
        q.next = d

    for signal in (clk, d):
        signal.read = True
    q.driven = "wire"
    return hold


private.verilog_code = """
(* keep *) reg [$WIDTH-1:0] held;

always @(posedge $clk) held <= $d;
assign $q = held;"""


def ports(width):
    """Fresh ports, by name."""
    return dict(clk=bit(), d=uint(width), q=uint(width))
