"""Stops a read master at its bus, so that it can be reset while the memory is not."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.stream.connect import carry, connect
from llama2_myhdl.rtl.stream.stream import bit


@hblock
def read_gate(clk, rst, stop, s, m, quiet, LIMIT):
    """s, m: `ReadChannels`, from the master and to the memory: m is s, within the cycle, while `stop` is low.

    stop: in; behind it no burst is offered but one that is already, and quiet: out, a register, tells that none is
    offered nor under way. rst: in, of the memory too. LIMIT: bursts that the master has under way at most.
    """
    COUNT_BITS = (LIMIT + 1).bit_length()
    s_ar, s_r, m_ar, m_r = s.ar, s.r, m.ar, m.r
    passes, held = bit(), bit()
    begins, ends = bit(), bit()
    count = Signal(modbv(0)[COUNT_BITS:])
    carry_ = carry(s_ar, m_ar)
    connect_ = connect(m_r, s_r)

    @always_comb
    def gate():
        passes.next = held or not stop

    @always_comb
    def handshake():
        m_ar.valid.next = s_ar.valid and passes
        s_ar.ready.next = m_ar.ready and passes

    @always_comb
    def see():
        begins.next = s_ar.valid and passes and m_ar.ready
        ends.next = m_r.valid and s_r.ready and m_r.last

    @always(clk.posedge)
    def follow():
        if rst:
            held.next = False
            quiet.next = False
            count.next = 0
        else:
            held.next = s_ar.valid and passes and not m_ar.ready
            quiet.next = stop and not held and not begins and count == 0
            if begins and not ends:
                count.next = count + 1
            elif ends and not begins:
                count.next = count - 1

    return carry_, connect_, gate, handshake, see, follow


def ports(axi, id_bits):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "stop", "quiet")}
    return dict(**pins, s=ReadChannels(axi, id_bits), m=ReadChannels(axi, id_bits), LIMIT=axi.outstanding)
