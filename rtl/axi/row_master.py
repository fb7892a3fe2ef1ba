"""An AXI4 master that reads the rows of a table in memory as they are asked for."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.axi.bursts import burst_stream
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.axi.read_channel import read_channel
from llama2_myhdl.rtl.axi.region import region, region_ports
from llama2_myhdl.rtl.axi.row_start import row_start
from llama2_myhdl.rtl.axi.total_beats import total_beats
from llama2_myhdl.rtl.axi.window import window
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import ConfigError, clog2
from llama2_myhdl.spec.errors import BUS_ERROR_BITS


@hblock
def row_master(clk, rst, enable, base, rows, row_beats, s, m, m_axi, error, busy, AXI, MOST_ROWS, MOST_BEATS):
    """s: Stream(row), below `rows`; m: Stream(data), the beats of each of these rows, in order.

        s ──> row_start ──> region ──> port ──> AR, memory, R ──> region ──> m

    enable: in, from here on base, rows and row_beats stand fast until reset: byte address of row 0, a multiple of the
    bus's bytes; rows of the table and beats of a row, 1 or more, at most MOST_ROWS and MOST_BEATS. A row is whole beats
    of the bus, one behind the other: what is behind its last beat is dropped. ConfigError when the largest table is
    larger than what AXI can address.
    m_axi, error, busy: as of `rtl/axi/read_channel.py`, BAD_WINDOW when the table is misaligned, empty or goes past the
    last address. AXI: `spec.axi.ReadMaster`; rows are asked for ahead as long as there is room for their beats.
    """
    BEAT_BITS = len(m.data)
    AXI.check_beat(BEAT_BITS)
    MOST = AXI.words(MOST_BEATS, BEAT_BITS) * MOST_ROWS
    if MOST > 1 << AXI.word_address_bits:
        raise ConfigError(
            f"axi address_bits: a table of {MOST * AXI.word_bytes:,} bytes needs more than {AXI.address_bits}"
        )
    row_at, rest, tail = region_ports(AXI, BEAT_BITS, MOST_BEATS).values()  # of row 0
    first, table_rest, table_tail = region_ports(AXI, AXI.data_bits, MOST + 1).values()  # of all rows
    row_words = uint(len(rest) + 1)
    total = uint(MOST.bit_length())
    row_known, row_wrong, counted, known, wrong, bad_window = [bit() for _ in range(6)]
    starts = Stream(word=uint(AXI.word_address_bits))
    request = burst_stream(AXI.word_address_bits)
    arrived, arrives, data = uint(1), bit(), uint(AXI.data_bits)

    row_window = window(
        clk, rst, enable, base, row_beats, first=row_at, rest=rest, tail=tail, known=row_known, wrong=row_wrong,
        AXI=AXI, BEAT_BITS=BEAT_BITS,
    )  # fmt: skip
    total_beats_ = total_beats(clk, row_known, parts=row_words, part_beats=rows, total=total, known=counted)
    table_window = window(
        clk, rst, counted, base, total, first=first, rest=table_rest, tail=table_tail, known=known, wrong=wrong,
        AXI=AXI, BEAT_BITS=AXI.data_bits,
    )  # fmt: skip
    unused(row_at, table_rest, table_tail)
    row_start_ = row_start(clk, rst, known, first, row_words, s, m=starts)
    region_ = region(
        clk, rst, known, rest, tail, request=request, arrives=arrives, data=data, m=m, AXI=AXI, starts=starts
    )
    read_channel_ = read_channel(
        clk, rst, Series(request), m_axi, arrived, data, wrong=bad_window, error=error, busy=busy, AXI=AXI
    )
    arriving = unpack(arrived, [arrives])

    @always_comb
    def judge():
        row_words.next = rest + 1
        bad_window.next = row_wrong or wrong

    return row_window, total_beats_, table_window, row_start_, region_, read_channel_, arriving, judge


def ports(axi: ReadMaster, beat_bits: int, most_rows: int, most_beats: int) -> dict:
    """Fresh ports and parameters, by name."""
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        base=uint(axi.address_bits),
        rows=uint(most_rows.bit_length()),
        row_beats=uint(most_beats.bit_length()),
        s=Stream(row=uint(clog2(most_rows))),
        m=Stream(data=uint(beat_bits)),
        m_axi=ReadChannels(axi, 1),
        error=uint(BUS_ERROR_BITS),
        busy=bit(),
        AXI=axi,
        MOST_ROWS=most_rows,
        MOST_BEATS=most_beats,
    )
