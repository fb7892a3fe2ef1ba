"""An AXI4 master that reads regions of memory ahead, each over and over: weight tapes behind a bus."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.axi.bursts import burst_stream
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.axi.read_channel import read_channel
from llama2_myhdl.rtl.axi.region import region, region_ports
from llama2_myhdl.rtl.axi.window import where_ports, window
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import ConfigError, clog2
from llama2_myhdl.spec.errors import BUS_ERROR_BITS

MOST_REGIONS = 16


@hblock
def read_master(clk, rst, enable, base, beats, m, m_axi, error, busy, AXI, ONCE=False):
    """m: Series of Stream(data), one a region: its beats, endlessly repeated, read ahead as far as there is room.

        region 0 ──┐                                       ┌──> region 0 ──> m[0]
        region 1 ──┴─> turns ──> AR     memory     R ──> register ──> region 1 ──> m[1]

    enable: in, from here on base and beats stand fast until reset: Series of byte addresses, multiples of the bus's
    bytes, and of lengths in beats of m, 1 or more.
    m_axi: `ReadChannels`; the number of a region is the ID of its bursts, so the memory may answer one before the
    other. RREADY is high but in reset: there is a place for every beat that was asked for.
    error: out, a register, until reset: BAD_WINDOW, and nothing is read; SLAVE_ERROR or DECODE_ERROR, the first answer
    that is one: from that beat on m offers nothing that came later, no burst begins, and those under way are taken and
    dropped. busy: out, a register: bursts are under way; a reset of this block alone waits until it is low.
    AXI: `spec.axi.ReadMaster`. What the memory does not bring in time is a pause of m. ONCE: each region is read once,
    and m ends behind it.
    """
    COUNT = len(m)
    if not 1 <= COUNT <= MOST_REGIONS:
        raise ConfigError(f"read_master regions: must be 1 to {MOST_REGIONS}, is {COUNT}")
    BEAT_BITS = len(m[0].data)
    AXI.check_beat(BEAT_BITS)
    where = [region_ports(AXI, BEAT_BITS, (1 << len(beats[k])) - 1) for k in range(COUNT)]
    requests = Series(*(burst_stream(AXI.word_address_bits) for _ in range(COUNT)))
    known, wrong = [bit() for _ in range(COUNT)], [bit() for _ in range(COUNT)]
    all_wrong = uint(COUNT)
    arrives, arrived = [bit() for _ in range(COUNT)], uint(COUNT)
    data = uint(AXI.data_bits)
    some_wrong = bit()

    window_ = [
        window(
            clk, rst, enable, base[k], beats[k], first=where[k]["base"], rest=where[k]["rest"], tail=where[k]["tail"],
            known=known[k], wrong=wrong[k], AXI=AXI, BEAT_BITS=BEAT_BITS,
        )
        for k in range(COUNT)
    ]  # fmt: skip
    region_ = [
        region(
            clk, rst, known[k], **where[k], request=requests[k], arrives=arrives[k], data=data, m=m[k], AXI=AXI,
            ONCE=ONCE,
        )
        for k in range(COUNT)
    ]  # fmt: skip
    read_channel_ = read_channel(
        clk, rst, requests, m_axi, arrived, data, wrong=some_wrong, error=error, busy=busy, AXI=AXI
    )
    faults = pack(wrong, all_wrong)
    arriving = unpack(arrived, arrives)

    @always_comb
    def look():
        some_wrong.next = all_wrong != 0

    return window_, region_, read_channel_, faults, arriving, look


def ports(axi: ReadMaster, beat_bits: int, most_beats: int, regions: int) -> dict:
    """Fresh ports and parameters, by name; most_beats: of the longest region."""
    where = [where_ports(axi, most_beats) for _ in range(regions)]
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        base=Series(*(each["base"] for each in where)),
        beats=Series(*(each["beats"] for each in where)),
        m=Series(*(Stream(data=uint(beat_bits)) for _ in range(regions))),
        m_axi=ReadChannels(axi, clog2(regions)),
        error=uint(BUS_ERROR_BITS),
        busy=bit(),
        AXI=axi,
    )
