"""The two channels that an AXI4 master reads with, under the standard's names."""

from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import BURST_BITS, CACHE_BITS, LEN_BITS, PROT_BITS, RESP_BITS, SIZE_BITS, ReadMaster

AR = ("id", "addr", "len", "size", "burst", "cache", "prot")
R = ("id", "data", "resp", "last")


class ReadChannels:
    """Ports `m_axi_arvalid`, `m_axi_rdata` and so on of a port named `m_axi`: an attribute a Signal.

    ar, r: the same Signals as Streams, whose fields have the standard's names without the channel's: `ar.addr`.
    """

    def __init__(self, axi: ReadMaster, id_bits: int):
        self.arid = uint(id_bits)
        self.araddr = uint(axi.address_bits)
        self.arlen = uint(LEN_BITS)
        self.arsize = uint(SIZE_BITS)
        self.arburst = uint(BURST_BITS)
        self.arcache = uint(CACHE_BITS)
        self.arprot = uint(PROT_BITS)
        self.arvalid, self.arready = bit(), bit()
        self.rid = uint(id_bits)
        self.rdata = uint(axi.data_bits)
        self.rresp = uint(RESP_BITS)
        self.rlast = bit()
        self.rvalid, self.rready = bit(), bit()

    def _stream(self, channel: str, fields: tuple[str, ...]) -> Stream:
        stream = Stream(**{name: getattr(self, channel + name) for name in fields})
        stream.valid, stream.ready = getattr(self, f"{channel}valid"), getattr(self, f"{channel}ready")
        return stream

    @property
    def ar(self) -> Stream:
        """Read addresses, to the memory."""
        return self._stream("ar", AR)

    @property
    def r(self) -> Stream:
        """Read data, from the memory."""
        return self._stream("r", R)
