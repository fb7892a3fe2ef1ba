"""The IP block in a simulation: words over its AXI4-Lite port, and memory behind its other ports."""

from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.rtl.control.llama2_ip import llama2_ip, ports
from llama2_myhdl.rtl.decoder import stations
from llama2_myhdl.sim.build import build as build_block
from llama2_myhdl.sim.native import NativeSimulator
from llama2_myhdl.sim.remote import RemoteSimulator
from llama2_myhdl.sim.session import RESET_CYCLES, SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError
from llama2_myhdl.spec.access import AccessError
from llama2_myhdl.spec.axi import OKAY
from llama2_myhdl.spec.cache import cache_count
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.control import boot_bus

PATIENCE = 200  # cycles that an access may take
REST = 200  # cycles of a pause
BASE, SIZE = 0x1_0000_0000, 1 << 28  # of the memory; no image lies in the first 4 GB
CACHE_SIZE, NOISE = 1 << 22, b"\xa5"  # from BASE on: what keys and values may be written to, and what is there before


class SimulatedIp:
    """The block of a build, reset; sim: one of SIMULATORS. Words and memory as a driver wants them (`host/driver.py`):

    read, write: a word at an address in bytes, AccessError when the block answers with an error; base, size: of the
    memory, put: bytes into it. pause: some cycles pass. memories: by the names of their ports, see `sim.simulator`;
    those of keys and values hold nothing else.
    """

    base, size = BASE, SIZE

    def __init__(self, build: BuildConfig, sim: str = SIMULATORS[0], say: Progress = silent):
        library = sim == SIMULATORS[0]
        built = build_block(llama2_ip, ports(build), sim.removesuffix("-cocotb"), library=library, say=say)
        self.sim = NativeSimulator(built.file, built.top) if library else RemoteSimulator(built)
        self.memories = {"m_axi_boot": self.sim.memory("m_axi_boot", boot_bus(build), 1, seed=99)}
        for k in range(stations(build) if build.weights else 0):
            regions = (k < build.engines) + (k == stations(build) - 1)
            self.memories[f"m_axi_{k}"] = self.sim.memory(f"m_axi_{k}", build.weights, regions, seed=k)
        if build.embedding:
            self.memories["m_axi_embedding"] = self.sim.memory("m_axi_embedding", build.embedding, 1, seed=98)
        self._caches = [f"m_axi_cache_{k}" for k in range(cache_count(build))]
        for k, name in enumerate(self._caches):
            self.memories[name] = self.sim.memory(name, build.cache, build.attention_units, seed=80 + k, writes=True)
        self._parts: dict[int, bytes] = {}
        self.forget()
        idle = dict.fromkeys(("awaddr", "awprot", "awvalid", "wdata", "wvalid", "araddr", "arprot", "arvalid"), 0)
        self._set(**idle, wstrb=0xF, bready=1, rready=1)
        self.reset()

    def reset(self) -> None:
        """All of it, and the memory's ports."""
        self.sim.set(rst=1)
        self.sim.run(RESET_CYCLES)
        self.sim.set(rst=0)
        self.sim.run(2 * RESET_CYCLES)

    def _set(self, **pins: int) -> None:
        self.sim.set(**{f"s_axi_{name}": value for name, value in pins.items()})

    def _await(self, pin: str) -> None:
        for _ in range(PATIENCE):
            self.sim.run(1)
            if self.sim.get(f"s_axi_{pin}"):
                return
        raise SimulationError(f"the registers do not raise {pin} in {PATIENCE} cycles: the block is stuck")

    def _answered(self, what: str, address: int, channel: str) -> None:
        self._await(f"{channel}valid")
        resp = self.sim.get(f"s_axi_{channel}resp")
        if resp != OKAY:
            self.sim.run(1)
            raise AccessError(what, address, resp)

    def read(self, address: int) -> int:
        self._set(araddr=address, arvalid=1)
        self._await("arready")
        self.sim.run(1)
        self._set(arvalid=0)
        self._answered("read", address, "r")
        value = self.sim.get("s_axi_rdata")
        self.sim.run(1)
        return value

    def write(self, address: int, value: int, strobes: int = 0xF) -> None:
        """strobes: of the bytes that are written."""
        self._set(awaddr=address, awvalid=1, wdata=value, wvalid=1, wstrb=strobes)
        self._await("awready")
        self.sim.run(1)
        self._set(awvalid=0, wvalid=0)
        self._answered("write", address, "b")
        self.sim.run(1)

    def put(self, address: int, data: bytes) -> None:
        """Bytes into the memory that all ports see; the simulation keeps them until others are put there."""
        self._parts[address] = bytes(data)
        for name, memory in self.memories.items():
            if name not in self._caches:
                memory.fill(self._parts)

    def forget(self) -> None:
        """Nothing lies in the memory any more."""
        self._parts.clear()
        for name, memory in self.memories.items():
            memory.fill({BASE: NOISE * CACHE_SIZE} if name in self._caches else {})

    def pause(self) -> None:
        self.sim.run(REST)

    def close(self) -> None:
        self.sim.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()
