"""The channels that an AXI4 master reads and writes with, under the standard's names."""

from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import BURST_BITS, CACHE_BITS, LEN_BITS, PROT_BITS, RESP_BITS, SIZE_BITS, ReadMaster

AR = ("id", "addr", "len", "size", "burst", "cache", "prot")
R = ("id", "data", "resp", "last")
AW = AR
W = ("data", "strb", "last")
B = ("id", "resp")


def _stream(channels, channel: str, fields: tuple[str, ...]) -> Stream:
    """The Signals of one channel as a Stream, whose fields have the standard's names without the channel's."""
    stream = Stream(**{name: getattr(channels, channel + name) for name in fields})
    stream.valid, stream.ready = getattr(channels, f"{channel}valid"), getattr(channels, f"{channel}ready")
    return stream


def _address(axi: ReadMaster, channel: str, id_bits: int) -> dict:
    """Fresh Signals of an address channel, by name."""
    widths = dict(id=id_bits, addr=axi.address_bits, len=LEN_BITS, size=SIZE_BITS, burst=BURST_BITS)
    widths |= dict(cache=CACHE_BITS, prot=PROT_BITS)
    fields = {channel + name: uint(bits) for name, bits in widths.items()}
    return fields | {f"{channel}valid": bit(), f"{channel}ready": bit()}


class ReadChannels:
    """Ports `m_axi_arvalid`, `m_axi_rdata` and so on of a port named `m_axi`: an attribute a Signal.

    ar, r: the same Signals as Streams, whose fields have the standard's names without the channel's: `ar.addr`.
    """

    def __init__(self, axi: ReadMaster, id_bits: int):
        vars(self).update(_address(axi, "ar", id_bits))
        self.rid = uint(id_bits)
        self.rdata = uint(axi.data_bits)
        self.rresp = uint(RESP_BITS)
        self.rlast = bit()
        self.rvalid, self.rready = bit(), bit()

    @property
    def ar(self) -> Stream:
        """Read addresses, to the memory."""
        return _stream(self, "ar", AR)

    @property
    def r(self) -> Stream:
        """Read data, from the memory."""
        return _stream(self, "r", R)


class WriteChannels:
    """Ports `m_axi_awvalid`, `m_axi_wdata`, `m_axi_bresp` and so on; as ReadChannels. All bursts have ID 0.

    aw, w, b: the same Signals as Streams.
    """

    def __init__(self, axi: ReadMaster):
        vars(self).update(_address(axi, "aw", 1))
        self.wdata = uint(axi.data_bits)
        self.wstrb = uint(axi.word_bytes)
        self.wlast = bit()
        self.wvalid, self.wready = bit(), bit()
        self.bid = uint(1)
        self.bresp = uint(RESP_BITS)
        self.bvalid, self.bready = bit(), bit()

    @property
    def aw(self) -> Stream:
        """Write addresses, to the memory."""
        return _stream(self, "aw", AW)

    @property
    def w(self) -> Stream:
        """Write data, to the memory."""
        return _stream(self, "w", W)

    @property
    def b(self) -> Stream:
        """Write responses, from the memory."""
        return _stream(self, "b", B)


class MemoryChannels(ReadChannels):
    """All five channels under one name; id_bits: of the reads."""

    def __init__(self, axi: ReadMaster, id_bits: int):
        super().__init__(axi, id_bits)
        vars(self).update(vars(WriteChannels(axi)))

    def _part(self, kind, *channels: str):
        """The same Signals, of some channels alone, as a port of that kind."""
        part = object.__new__(kind)
        vars(part).update((name, signal) for name, signal in vars(self).items() if name.startswith(channels))
        return part

    @property
    def reading(self) -> ReadChannels:
        """The channels of reads."""
        return self._part(ReadChannels, "ar", "r")

    @property
    def writing(self) -> WriteChannels:
        """The channels of writes."""
        return self._part(WriteChannels, "aw", "w", "b")
