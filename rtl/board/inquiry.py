"""Looks up a value that the host asks for: a counter, the cycles, or a number of the build."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import bit, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.counters import COUNTER_BITS, SELECT_BITS
from llama2_myhdl.spec.link import CYCLES, DESCRIBED, LIMITS

LATENCY = 4  # cycles from `select` and `station` to `value`
CODE_BITS, LIMIT_BITS = 8, 32


@hblock
def inquiry(clk, select, station, cycles, counter_station, counter_select, counter_value, value, CFG):
    """select, station: in, as READ of `spec/link.py` has them; value: out, LATENCY cycles later.

    cycles, counter_*: of the decoder.
    """
    INDEX_BITS = clog2(len(DESCRIBED))
    SELECTED, STATION = len(counter_select), len(counter_station)
    FOUND = [getattr(CFG, name) for name in DESCRIBED]
    NUMBERS = tuple(FOUND + [0] * ((1 << INDEX_BITS) - len(FOUND)))
    index = uint(INDEX_BITS)
    number = uint(LIMIT_BITS)

    @always_comb
    def ask():
        index.next = select[INDEX_BITS:]
        counter_select.next = select[SELECTED:]
        counter_station.next = station[STATION:]

    @always(clk.posedge)
    def look_up():
        number.next = NUMBERS[index]

    @always(clk.posedge)
    def choose():
        if select >= LIMITS:
            value.next = number
        elif select == CYCLES:
            value.next = cycles
        else:
            value.next = counter_value

    return ask, look_up, choose


def ports(build: BuildConfig, station_bits: int = 1):
    """Fresh ports and parameters, by name."""
    counter = dict(counter_select=uint(SELECT_BITS), counter_value=uint(COUNTER_BITS), cycles=uint(COUNTER_BITS))
    codes = dict(select=uint(CODE_BITS), station=uint(CODE_BITS), counter_station=uint(station_bits))
    return dict(clk=bit(), **codes, **counter, value=uint(COUNTER_BITS), CFG=build)
