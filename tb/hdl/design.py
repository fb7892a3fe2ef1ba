"""A small design for the tests of the conversion: five levels, variants, interfaces, constants, a RAM."""
from myhdl import Signal, always, always_comb, intbv, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.stream.register import register
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint


class Settings:
    """An interface within an interface."""

    def __init__(self):
        self.gain = uint(4)
        self.offset = sint(8)


class Control:
    def __init__(self):
        self.settings = Settings()
        self.enable = bit()
        self.spare = uint(3)


@hblock
def scale(clk, x, gain, y, SHIFT=0):
    """One lane: y = x * gain >> SHIFT."""
    limit = 1 << (len(y) - 1)

    @always(clk.posedge)
    def multiply():
        wide = intbv(0, min=-limit, max=limit)
        wide[:] = gain
        wide[:] = wide * x
        y.next = wide >> SHIFT

    return multiply


@hblock
def lanes(clk, control, bus, total, LANES=4):
    """Scale each lane and add; the last lane has the constant gain 9."""
    xs = [sint(8) for _ in range(LANES)]
    ys = [sint(16) for _ in range(LANES)]
    limit = 1 << 19
    unpacking = unpack(bus, xs)
    scaled = [scale(clk, xs[k], control.settings.gain, ys[k], SHIFT=k % 2) for k in range(LANES - 1)]
    fixed = scale(clk, xs[LANES - 1], tied(uint(4, 9)), ys[LANES - 1])
    unused(control.spare)

    @always(clk.posedge)
    def add():
        s = intbv(0, min=-limit, max=limit)
        s[:] = control.settings.offset
        for k in range(LANES):
            s[:] = s + ys[k]
        if control.enable:
            total.next = s

    return unpacking, scaled, fixed, add


@hblock
def stage(clk, rst, control, s, m, DELAYED=True):
    """Adds the lanes of data to its low bits; a stream block in name only: it never stalls."""
    total = sint(20)
    bus = uint(len(s.data))
    high = uint(len(s.data) - len(total))
    summing = lanes(clk, control, s.data, total, LANES=len(s.data) // 8)
    packing = pack([total, high], bus)
    mid = s.clone()
    holding = (skid if DELAYED else register)(clk, rst, mid, m)

    @always_comb
    def wire():
        s.ready.next = mid.ready
        mid.valid.next = s.valid
        mid.data.next = bus
        high.next = s.data[:20]

    return summing, packing, holding, wire


@hblock
def chain(clk, rst, control, s, m):
    """Two variants of stage with a Stream between."""
    links = [s, s.clone(), m]
    return [stage(clk, rst, control, links[k], links[k + 1], DELAYED=bool(k)) for k in range(2)]


@hblock
def machine(clk, rst, control, s, m, history):
    """The chain, and a RAM that gives back the data of three transfers ago."""
    through = chain(clk, rst, control, s, m)
    count = Signal(modbv(0)[2:])
    oldest = Signal(modbv(0)[2:])
    write = bit()
    recording = ram(clk, write, count, s.data, tied(bit(True)), oldest, history, DEPTH=4)

    @always_comb
    def when():
        write.next = s.valid and s.ready
        oldest.next = count + 1

    @always(clk.posedge)
    def step():
        if rst:
            count.next = 0
        elif s.valid and s.ready:
            count.next = count + 1

    return through, recording, when, step


def ports(width=32):
    """Arguments of `machine`."""
    stream = Stream(data=uint(width))
    return dict(clk=bit(), rst=bit(), control=Control(), s=stream, m=stream.clone(), history=uint(width))
