"""CRC-32, a byte a cycle."""

from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.link import CRC_POLYNOMIAL, CRC_START

CRC_BITS = 32


@hblock
def crc32(clk, restart, enable, data, crc):
    """restart: in, begin anew; enable: in, take the byte `data`; crc: out, uint(CRC_BITS), the register.

    The CRC of what was taken is the register's complement, as zlib.crc32 has it.
    """

    @always(clk.posedge)
    def divide():
        rest = intbv(0)[CRC_BITS:]
        rest[:] = crc ^ data
        for k in range(8):  # noqa: B007  a Verilog name
            if rest[0]:
                rest[:] = (rest >> 1) ^ CRC_POLYNOMIAL
            else:
                rest[:] = rest >> 1
        if restart:
            crc.next = CRC_START
        elif enable:
            crc.next = rest

    return divide


def ports():
    """Fresh ports, by name."""
    return dict(clk=bit(), restart=bit(), enable=bit(), data=uint(8), crc=uint(CRC_BITS))
