"""An AXI4-Lite slave: one access after the other, each with an address that stands still while it is looked up."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.control.lite_channels import LiteChannels
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.axi import RESP_BITS
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.control import WORD_BITS, WORD_BYTES

IDLE, WORK, ANSWER = range(3)
STATE_BITS = 2


@hblock
def lite_slave(clk, rst, s_axi, address, writing, data, whole, act, value, resp, LATENCY):
    """s_axi: `LiteChannels`.

    address, writing, data, whole: out, registers, of the access under way: its byte address, whether it writes, what,
    and whether all bytes of the word. LATENCY cycles behind them act: out, for a cycle: it takes place now; value,
    resp: in, then: what was read, and the answer. Where a read and a write wait, they take turns.
    """
    WHOLE = (1 << WORD_BYTES) - 1
    state = uint(STATE_BITS)
    left = uint(clog2(LATENCY))
    LAST = LATENCY - 1
    wrote, takes_write = bit(), bit()
    unused(s_axi.awprot, s_axi.arprot)

    @always_comb
    def choose():
        takes_write.next = s_axi.awvalid and s_axi.wvalid and not (s_axi.arvalid and wrote)
        act.next = state == WORK and left == 0

    @always(clk.posedge)
    def control():
        if rst:
            state.next = IDLE
            wrote.next = False
            s_axi.awready.next = False
            s_axi.wready.next = False
            s_axi.arready.next = False
            s_axi.bvalid.next = False
            s_axi.rvalid.next = False
        else:
            s_axi.awready.next = state == IDLE and takes_write
            s_axi.wready.next = state == IDLE and takes_write
            s_axi.arready.next = state == IDLE and s_axi.arvalid and not takes_write
            if state == IDLE:
                if takes_write or s_axi.arvalid:
                    state.next = WORK
                    wrote.next = takes_write
            elif state == WORK:
                if left == 0:
                    state.next = ANSWER
                    s_axi.bvalid.next = writing
                    s_axi.rvalid.next = not writing
            elif (s_axi.bvalid and s_axi.bready) or (s_axi.rvalid and s_axi.rready):
                state.next = IDLE
                s_axi.bvalid.next = False
                s_axi.rvalid.next = False

    @always(clk.posedge)
    def take():
        if state == IDLE:
            left.next = LAST
            writing.next = takes_write
            data.next = s_axi.wdata
            whole.next = s_axi.wstrb == WHOLE
            if takes_write:
                address.next = s_axi.awaddr
            else:
                address.next = s_axi.araddr
        elif left != 0:
            left.next = left - 1

    @always(clk.posedge)
    def answer():
        if state == WORK and left == 0:
            s_axi.bresp.next = resp
            s_axi.rresp.next = resp
            s_axi.rdata.next = value

    return choose, control, take, answer


def ports(address_bits, latency):
    """Fresh ports and parameters, by name."""
    flags = {name: bit() for name in ("clk", "rst", "writing", "whole", "act")}
    words = dict(address=uint(address_bits), data=uint(WORD_BITS), value=uint(WORD_BITS), resp=uint(RESP_BITS))
    return dict(**flags, s_axi=LiteChannels(address_bits), **words, LATENCY=latency)
