"""A station's counters, read through their port while nothing counts."""

from cocotb.triggers import ClockCycles
from pyuvm import uvm_analysis_port, uvm_component

from llama2_myhdl.spec.counters import COUNTERS

CYCLES = 3  # at most, from the number of a counter to its value


class CounterMonitor(uvm_component):
    """`read` publishes the counters NAMES, and what it is given besides. SELECT, VALUE: the port's pins."""

    NAMES, SELECT, VALUE = (), "select", "value"

    def build_phase(self):
        self.ap = uvm_analysis_port("ap", self)
        self.scope = self.cdb_get("SCOPE")

    async def read(self, **values):
        for name in self.NAMES:
            getattr(self.scope, self.SELECT).value = COUNTERS.index(name)
            await ClockCycles(self.scope.clk, CYCLES + 1)
            values[name] = int(getattr(self.scope, self.VALUE).value)
        self.ap.write(values)
