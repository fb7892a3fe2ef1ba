"""The five channels of an AXI4-Lite slave, under the standard's names."""

from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.axi import PROT_BITS, RESP_BITS
from llama2_myhdl.spec.control import WORD_BITS, WORD_BYTES


class LiteChannels:
    """Ports `s_axi_awvalid`, `s_axi_rdata` and so on of a port named `s_axi`: an attribute a Signal."""

    def __init__(self, address_bits: int):
        self.awaddr, self.awprot = uint(address_bits), uint(PROT_BITS)
        self.awvalid, self.awready = bit(), bit()
        self.wdata, self.wstrb = uint(WORD_BITS), uint(WORD_BYTES)
        self.wvalid, self.wready = bit(), bit()
        self.bresp = uint(RESP_BITS)
        self.bvalid, self.bready = bit(), bit()
        self.araddr, self.arprot = uint(address_bits), uint(PROT_BITS)
        self.arvalid, self.arready = bit(), bit()
        self.rdata, self.rresp = uint(WORD_BITS), uint(RESP_BITS)
        self.rvalid, self.rready = bit(), bit()
