"""Stops a write master at its bus, so that it can be reset while the memory is not."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.axi.channels import WriteChannels
from llama2_myhdl.rtl.control.address_gate import address_gate
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit


@hblock
def write_gate(clk, rst, stop, s, m, quiet, LIMIT):
    """s, m: `WriteChannels`, from the master and to the memory; stop, quiet, rst, LIMIT: of `address_gate`.

    Data and responses pass at any time: the master sends no word ahead of its burst's address, and all words of a burst
    that has begun, whatever is stopped.
    """
    ends = bit()
    s_b, m_b = s.b, m.b
    address_gate_ = address_gate(clk, rst, stop, s.aw, m.aw, ends, quiet, LIMIT=LIMIT)
    words, responses = connect(s.w, m.w), connect(m_b, s_b)

    @always_comb
    def see():
        ends.next = m_b.valid and s_b.ready

    return address_gate_, words, responses, see


def ports(axi):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "stop", "quiet")}
    return dict(**pins, s=WriteChannels(axi), m=WriteChannels(axi), LIMIT=axi.outstanding)
