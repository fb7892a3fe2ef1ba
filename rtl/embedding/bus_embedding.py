"""Embedding look-up in memory behind a bus: as `rtl/embedding/embedding.py`, which has its rows on the chip."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.axi.channels import ReadChannels
from llama2_myhdl.rtl.axi.row_master import row_master
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.embedding.row_elements import row_elements
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.embedding import most_row_beats
from llama2_myhdl.spec.errors import BUS_ERROR_BITS


@hblock
def bus_embedding(clk, rst, enable, base, s_token, m, dim, dim_beats, vocab_size, m_axi, error, busy, CFG):
    """m = mantissas of the token's row times 2**exponent, as golden.fixed.embedding.embed.

        s_token ──> row_master ──> row_elements ──> m
                     AR │ ^ R
                      memory

    enable: in, the shape registers dim, dim_beats, vocab_size and base stand fast, until reset; base: address of the
    table, which lies as `spec/embedding.py` says. s_token: Stream(token=uint(CFG.token_bits)), below vocab_size (the
    sender checks); m: Stream(data=F, last): `dim` elements a token. m_axi, error, busy: as of `rtl/axi/row_master.py`.
    The next tokens are taken, and their rows asked for, while the elements before them leave.
    """
    ROW = clog2(CFG.max_vocab)
    rows = Stream(row=uint(ROW))
    beats = Stream(data=uint(CFG.beat_bits))
    row_beats = uint(most_row_beats(CFG).bit_length())

    row_master_ = row_master(
        clk,
        rst,
        enable,
        base,
        rows=vocab_size,
        row_beats=row_beats,
        s=rows,
        m=beats,
        m_axi=m_axi,
        error=error,
        busy=busy,
        AXI=CFG.embedding,
        MOST_ROWS=CFG.max_vocab,
        MOST_BEATS=most_row_beats(CFG),
    )
    row_elements_ = row_elements(clk, rst, beats, m, dim, CFG=CFG)
    unused(s_token.token)  # its highest bit

    @always_comb
    def forward():
        row_beats.next = dim_beats + 1
        rows.valid.next = s_token.valid
        rows.row.next = s_token.token[ROW:]
        s_token.ready.next = rows.ready

    return row_master_, row_elements_, forward


def bus_ports(cfg: BuildConfig) -> dict:
    """Fresh ports at the bus, by name."""
    return dict(base=uint(cfg.embedding.address_bits), m_axi=ReadChannels(cfg.embedding, 1))


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        s_token=Stream(token=uint(cfg.token_bits)),
        m=Stream(data=sint(cfg.f_bits), last=bit()),
        **shape.named(("dim", "dim_beats", "vocab_size")),
        error=uint(BUS_ERROR_BITS),
        busy=bit(),
        **bus_ports(cfg),
        CFG=cfg,
    )
