"""Boot by DMA: reads a boot image from memory, once, and hands it to the decoder."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.axi.read_master import read_master
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.control import WORD_BITS
from llama2_myhdl.spec.errors import BAD_LENGTH, BUS_ERROR_BITS, NONE


@hblock
def image_reader(clk, rst, enable, base, size, m, m_axi, error, AXI):
    """m: Stream(data = a beat, last), the image from its first beat to its last one.

    enable: in, base and size stand fast until reset: address of the first byte, a multiple of the bus's bytes, and
    bytes in all, whole beats. m_axi: `ReadChannels`. error: out, a register, until reset: BAD_LENGTH for a part of a
    beat, else as of `read_master`; m then ends early. AXI: `spec.axi.ReadMaster`.
    """
    SHIFT = clog2(len(m.data) // 8)
    beats, left = uint(WORD_BITS - SHIFT), uint(WORD_BITS - SHIFT)
    ragged, begins, busy = bit(), bit(), bit()
    found = uint(BUS_ERROR_BITS)
    tape = Stream(data=uint(len(m.data)))
    unused(busy)
    read_master_ = read_master(
        clk, rst, begins, base=Series(base), beats=Series(beats), m=Series(tape), m_axi=m_axi, error=found, busy=busy,
        AXI=AXI, ONCE=True,
    )  # fmt: skip

    @always_comb
    def measure():
        beats.next = size[:SHIFT]
        ragged.next = size[SHIFT:] != 0

    @always_comb
    def hand_on():
        m.data.next = tape.data
        m.last.next = left == 1
        m.valid.next = tape.valid
        tape.ready.next = m.ready

    @always(clk.posedge)
    def commence():
        if rst:
            begins.next = False
            error.next = NONE
        else:
            begins.next = enable and not ragged
            if enable and ragged:
                error.next = BAD_LENGTH
            else:
                error.next = found

    @always(clk.posedge)
    def count():
        if not begins:
            left.next = beats
        elif tape.valid and m.ready:
            left.next = left - 1

    return read_master_, measure, hand_on, commence, count


def ports(axi, beat_bits):
    """Fresh ports and parameters, by name."""
    pins = {name: bit() for name in ("clk", "rst", "enable")}
    where = dict(base=uint(axi.address_bits), size=uint(WORD_BITS))
    m = Stream(data=uint(beat_bits), last=bit())
    return dict(**pins, **where, m=m, m_axi=ReadChannels(axi, 1), error=uint(BUS_ERROR_BITS), AXI=axi)
