"""The agent of one Stream port; the handshake itself is in sim/streams.py.

A port on the block's input side (`s`) is driven from a sequencer, one on its output side (`m`) is drained with
back-pressure; a passive agent only looks. In every case the agent's `ap` publishes each beat that passes, as a dict.

ConfigDB: PORT (a `Port`), SEED, is_active (as in all of UVM), and the probability that a cycle is a pause: IDLE for a
driven port, BACK_PRESSURE for a drained one, 0 unless set; `pause` changes it while the test runs.
"""

from dataclasses import dataclass

import cocotb
from cocotb.triggers import RisingEdge
from pyuvm import ConfigDB, uvm_agent, uvm_analysis_port, uvm_driver, uvm_monitor, uvm_sequencer

from llama2_myhdl.rtl.stream.stream import Stream
from llama2_myhdl.sim.streams import StreamMonitor, StreamSink, StreamSource
from tb.uvm.seed import generator

IDLE, BACK_PRESSURE = "IDLE", "BACK_PRESSURE"
LOOK_AHEAD = 1  # beats still queued when the next burst is fetched, so that bursts follow without a gap


@dataclass(frozen=True)
class Port:
    """A stream port. scope: the instance that has it; stream: a Stream of its type; driven: an input of the block."""

    scope: object
    prefix: str
    stream: Stream
    driven: bool

    def fields(self) -> dict[str, int]:
        """Name to bits, negative for a signed field: what sim.streams wants."""
        signals = zip(self.stream.payload, self.stream.fields())
        return {name: -len(signal) if (signal.min or 0) < 0 else len(signal) for name, signal in signals}


async def follow(component, label, pins):
    """Pause the pins as ConfigDB says for this component, now and after every change."""
    rng = generator(component.cdb_get("SEED"), component.get_full_name())
    while True:
        pins.pause(rng, ConfigDB().get(component, "", label, 0.0))
        await ConfigDB().wait_modified(component, "", label)


class StreamDriver(uvm_driver):
    """Sends the bursts of its sequencer."""

    def build_phase(self):
        port = self.cdb_get("PORT")
        self.pins = StreamSource(port.scope, port.prefix, **port.fields())

    async def run_phase(self):
        cocotb.start_soon(follow(self, IDLE, self.pins))
        edge = RisingEdge(self.pins.clk)
        while True:
            burst = await self.seq_item_port.get_next_item()
            self.pins.send_nowait(*burst.payloads)
            while len(self.pins.queue) > LOOK_AHEAD:
                await edge
            self.seq_item_port.item_done()


class StreamCollector(uvm_monitor):
    """Publishes the beats of a port; with DRAIN set it also drives `ready`."""

    def build_phase(self):
        port, self.drains = self.cdb_get("PORT"), self.cdb_get("DRAIN")
        self.pins = (StreamSink if self.drains else StreamMonitor)(port.scope, port.prefix, **port.fields())
        self.ap = uvm_analysis_port("ap", self)

    async def run_phase(self):
        if self.drains:
            cocotb.start_soon(follow(self, BACK_PRESSURE, self.pins))
        while True:
            self.ap.write(await self.pins.recv())


class StreamAgent(uvm_agent):
    """Monitor of a port and, for an active agent on a driven one, sequencer and driver."""

    def build_phase(self):
        super().build_phase()
        self.port = self.cdb_get("PORT")
        self.cdb_set("DRAIN", self.active() and not self.port.driven)
        self.sequencer = self.driver = None
        if self.active() and self.port.driven:
            self.sequencer = uvm_sequencer.create("sequencer", self)
            self.driver = StreamDriver.create("driver", self)
        self.monitor = StreamCollector.create("monitor", self)

    def connect_phase(self):
        if self.driver:
            self.driver.seq_item_port.connect(self.sequencer.seq_item_export)

    @property
    def ap(self):
        return self.monitor.ap

    @property
    def received(self) -> int:
        """Beats that have passed."""
        return self.monitor.pins.received

    def pause(self, probability: float):
        """Turn this agent's knob in ConfigDB."""
        if self.active():
            component, label = (self.driver, IDLE) if self.port.driven else (self.monitor, BACK_PRESSURE)
            ConfigDB().set(component, "", label, probability)
