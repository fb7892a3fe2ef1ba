"""What all masters of a decoder say of their buses."""

from myhdl import always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.errors import BUS_ERROR_BITS, NONE


@hblock
def bus_state(errors, busy, error, reading):
    """errors, busy: Series of a code of `spec/errors.py` and of a bit, each a master's. error: one of the codes that
    are not NONE, else that; reading: a master is busy. Combinational."""
    COUNT = len(errors)
    codes, any_busy = uint(COUNT * BUS_ERROR_BITS), uint(COUNT)
    packing = pack(list(errors), codes), pack(list(busy), any_busy)

    @always_comb
    def choose():
        code = intbv(0)[BUS_ERROR_BITS:]
        part = intbv(0)[COUNT * BUS_ERROR_BITS :]
        code[:] = 0
        for k in range(COUNT):
            part[:] = codes >> (k * BUS_ERROR_BITS)
            if part[BUS_ERROR_BITS:] != NONE:
                code[:] = part[BUS_ERROR_BITS:]
        error.next = code
        reading.next = any_busy != 0

    return packing, choose


def ports(masters: int) -> dict:
    """Fresh ports, by name."""
    errors = Series(*(uint(BUS_ERROR_BITS) for _ in range(masters)))
    busy = Series(*(bit() for _ in range(masters)))
    return dict(errors=errors, busy=busy, error=uint(BUS_ERROR_BITS), reading=bit())
