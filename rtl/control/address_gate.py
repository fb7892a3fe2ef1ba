"""Stops the bursts of a master at one address channel, and counts those that are under way."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import bit


@hblock
def address_gate(clk, rst, stop, s, m, ends, quiet, LIMIT):
    """s, m: addresses of bursts, from the master and to the memory: m is s, within the cycle, while `stop` is low.

    stop: in; behind it no burst is offered but one that is already, and quiet: out, a register, tells that none is
    offered nor under way. ends: in, a burst has its last answer. rst: in, of the memory too. LIMIT: bursts that the
    master has under way at most.
    """
    COUNT_BITS = (LIMIT + 1).bit_length()
    passes, held, begins = [bit() for _ in range(3)]
    count = Signal(modbv(0)[COUNT_BITS:])
    carry_ = carry(s, m)

    @always_comb
    def gate():
        passes.next = held or not stop

    @always_comb
    def handshake():
        m.valid.next = s.valid and passes
        s.ready.next = m.ready and passes
        begins.next = s.valid and passes and m.ready

    @always(clk.posedge)
    def follow():
        if rst:
            held.next = False
            quiet.next = False
            count.next = 0
        else:
            held.next = s.valid and passes and not m.ready
            quiet.next = stop and not held and not begins and count == 0
            if begins and not ends:
                count.next = count + 1
            elif ends and not begins:
                count.next = count - 1

    return carry_, gate, handshake, follow


def ports(axi, id_bits):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "stop", "ends", "quiet")}
    return dict(**pins, s=ReadChannels(axi, id_bits).ar, m=ReadChannels(axi, id_bits).ar, LIMIT=axi.outstanding)
