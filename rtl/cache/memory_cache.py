"""The key/value cache of an attention in memory behind a bus."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.hdl.ports import Series
from llama2_myhdl.rtl.attention.cache_rows import base_bits
from llama2_myhdl.rtl.axi.bursts import burst_stream, run_stream
from llama2_myhdl.rtl.axi.channels import MemoryChannels
from llama2_myhdl.rtl.axi.read_channel import read_channel
from llama2_myhdl.rtl.axi.window import window
from llama2_myhdl.rtl.axi.write_master import write_master
from llama2_myhdl.rtl.cache.head_reader import head_reader
from llama2_myhdl.rtl.cache.head_run import rest_bits
from llama2_myhdl.rtl.cache.row_writer import row_writer
from llama2_myhdl.rtl.cache.rows import key_rows, token_label, value_rows
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.cache import layout
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.errors import BUS_ERROR_BITS, NONE


class MemoryPort:
    """What a cache in memory has towards the outside, beside its m_axi.

    enable: in, base stands fast, until reset; base: in, byte address of the cache, a multiple of the bus's bytes;
    error: out, as of `read_channel` and `write_master`: what stops either stops the other, a token later; busy: out,
    bursts are under way, and a reset of this part alone waits until it is low.
    """

    def __init__(self, axi):
        self.enable, self.base = bit(), uint(axi.address_bits)
        self.error, self.busy = uint(BUS_ERROR_BITS), bit()


@hblock
def memory_cache(clk, rst, token, push, base, key_we, row, exponent, value_we, value_row, value_exponent, value_base,
                 pos, m_key, m_value, written, port, m_axi, CFG):  # fmt: skip
    """token: `token_label`; push uint(attention_units): a pass of that unit over head `base` waits.

    key_we .. pos: rows to be written, as of `row_writer`; written: out, a pulse for each of them (key and value) that
    the memory has acknowledged. m_key, m_value: Series of `key_rows` and `value_rows`, one of each a unit: the rows
    0 .. token.rows - 1 of its passes, in their order.
    port: `MemoryPort`; m_axi: `MemoryChannels`, whose IDs are the units.
    """
    UNITS, AXI = CFG.attention_units, CFG.cache
    BEATS = layout(CFG).beats
    words = AXI.word_address_bits
    first, rest, tail = uint(words), uint(clog2(BEATS)), uint(1)
    known, wrong, written_run, second = [bit() for _ in range(4)]
    read_error, write_error, reading, writing = uint(BUS_ERROR_BITS), uint(BUS_ERROR_BITS), bit(), bit()
    requests = Series(*(burst_stream(words) for _ in range(UNITS)))
    arrived, data = uint(UNITS), uint(AXI.data_bits)
    arrives, pushes = [bit() for _ in range(UNITS)], [bit() for _ in range(UNITS)]
    run, word = run_stream(words, rest_bits(CFG)), Stream(data=uint(AXI.data_bits), strb=uint(AXI.word_bytes))
    some_key = bit()
    unused(rest, tail, known)

    window_ = window(clk, rst, port.enable, port.base, beats=tied(uint(BEATS.bit_length(), BEATS)), first=first,
                     rest=rest, tail=tail, known=known, wrong=wrong, AXI=AXI, BEAT_BITS=AXI.data_bits)  # fmt: skip
    parting = unpack(arrived, arrives), unpack(push, pushes)
    head_reader_ = [
        head_reader(clk, rst, pushes[u], base, first, token, requests[u], arrives[u], data, m_key[u], m_value[u],
                    UNIT=u, CFG=CFG)
        for u in range(UNITS)
    ]  # fmt: skip
    read_channel_ = read_channel(clk, rst, requests, m_axi.reading, arrived, data, wrong=wrong, error=read_error,
                                 busy=reading, AXI=AXI)  # fmt: skip
    row_writer_ = row_writer(clk, rst, some_key, row, exponent, value_we, value_row, value_exponent, value_base, pos,
                             first, run, word, CFG=CFG)  # fmt: skip
    write_master_ = write_master(clk, rst, run, word, m_axi.writing, done=written_run, error=write_error, busy=writing,
                                 AXI=AXI)  # fmt: skip

    @always_comb
    def look():
        some_key.next = key_we != 0
        written.next = written_run and second
        port.busy.next = reading or writing

    @always_comb
    def report():
        if read_error != NONE:
            port.error.next = read_error
        else:
            port.error.next = write_error

    @always(clk.posedge)
    def follow():
        if rst:
            second.next = False
        elif written_run:
            second.next = not second

    return window_, parting, head_reader_, read_channel_, row_writer_, write_master_, look, report, follow


def ports(cfg):
    """Fresh ports and parameters, by name."""
    units, keys, values = cfg.attention_units, key_rows(cfg), value_rows(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        token=token_label(cfg),
        push=uint(units),
        base=uint(base_bits(cfg)),
        key_we=uint(units),
        row=keys.data,
        exponent=keys.exponent,
        value_we=uint(units),
        value_row=values.data,
        value_exponent=values.exponent,
        value_base=uint(base_bits(cfg)),
        pos=uint(cfg.pos_bits),
        m_key=Series(*(key_rows(cfg) for _ in range(units))),
        m_value=Series(*(value_rows(cfg) for _ in range(units))),
        written=bit(),
        port=MemoryPort(cfg.cache),
        m_axi=MemoryChannels(cfg.cache, clog2(units)),
        CFG=cfg,
    )
