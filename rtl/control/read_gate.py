"""Stops a read master at its bus, so that it can be reset while the memory is not."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.control.address_gate import address_gate
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import bit


@hblock
def read_gate(clk, rst, stop, s, m, quiet, LIMIT):
    """s, m: `ReadChannels`, from the master and to the memory; stop, quiet, rst, LIMIT: of `address_gate`.

    The memory's data pass at any time.
    """
    ends = bit()
    s_r, m_r = s.r, m.r
    address_gate_ = address_gate(clk, rst, stop, s.ar, m.ar, ends, quiet, LIMIT=LIMIT)
    connect_ = connect(m_r, s_r)

    @always_comb
    def see():
        ends.next = m_r.valid and s_r.ready and m_r.last

    return address_gate_, connect_, see


def ports(axi, id_bits):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "stop", "quiet")}
    return dict(**pins, s=ReadChannels(axi, id_bits), m=ReadChannels(axi, id_bits), LIMIT=axi.outstanding)
