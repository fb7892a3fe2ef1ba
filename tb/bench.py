"""What the benches of blocks with streams share: pauses, pulses, moments, and the comparison at the end."""

from cocotb.triggers import ClockCycles, RisingEdge

from llama2_myhdl.sim.clock import at_every_edge, start
from llama2_myhdl.sim.streams import reader

# probabilities of a pause (ahead of a block, behind it): none, both, one side much slower
TRAFFIC = ((0, 0), (0.5, 0.5), (0, 0.9), (0.9, 0))


class Bench:
    """A block, the drivers of its streams, and what is to come out at `sink`.

    A bench sets `ports`, the drivers in the order in which `pause` names them, and `sink`, one of them; `wanted`: the
    payloads that are still to be compared with what `sink` has collected; `pulses`: cycles with `saturated` high.
    """

    def __init__(self, dut, rng):
        self.dut, self.rng, self.wanted, self.pulses = dut, rng, [], 0

    async def start(self):
        """Clock and reset; from here on pulses count."""
        await start(self.dut)
        if hasattr(self.dut, "saturated"):
            self._rst, self._saturated = reader(self.dut.rst), reader(self.dut.saturated)
            at_every_edge(self.dut.clk, self._count_pulses)

    def _count_pulses(self):
        if self._rst() == "0":  # before the reset registers hold anything
            self.pulses += int(self._saturated(), 2)

    def pause(self, *probabilities):
        """Make each cycle a pause with these probabilities, one for each port."""
        for port, probability in zip(self.ports, probabilities, strict=True):
            port.pause(self.rng, probability)

    async def compare(self, cycles):
        """Wait for all that is wanted, then so many cycles for what is not, and compare; returns how many that were."""
        await self.sink.wait(len(self.wanted))
        await ClockCycles(self.dut.clk, cycles)
        assert list(self.sink.queue) == self.wanted
        return len(self.wanted)


async def traffic(rng, source, sink, levels, batch):
    """Send a `batch()` at each level, probabilities of a pause (ahead of the block, behind it), and wait until as much
    has come out; returns all that was sent."""
    sent = []
    for idle, wait in levels:
        source.pause(rng, idle)
        sink.pause(rng, wait)
        payloads = batch()
        sent += payloads
        await source.send(*payloads)
    await sink.wait(len(sent))
    return sent


async def first_latency(dut, source, sink):
    """Cycles from the transfer of the first payload into a block to that of the first one out of it."""
    while not source.sent:
        await ClockCycles(dut.clk, 1)
    cycles = 0
    while not sink.received:
        await ClockCycles(dut.clk, 1)
        cycles += 1
    return cycles


async def moments(dut, last, count, moved=(), offered=()):
    """Cycles of the transfers at the ports `moved`, and of valid at the ports `offered`, as lists by port.

    It looks until port `last` has had `count` of them; where nothing stops an offer, each is a transfer too.
    """
    pins = {port: ("valid", "ready") for port in moved} | {port: ("valid",) for port in offered}
    high = {port: [reader(getattr(dut, f"{port}_{pin}")) for pin in names] for port, names in pins.items()}
    seen, cycle, edge = {port: [] for port in pins}, 0, RisingEdge(dut.clk)
    while len(seen[last]) < count:
        await edge
        cycle += 1
        for port, pins_of in high.items():
            if all(read() == "1" for read in pins_of):
                seen[port].append(cycle)
    return seen
