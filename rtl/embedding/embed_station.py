"""The first station: a token request in, a packet out; the first memory of the boot chain."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.embedding.bus_embedding import bus_embedding, bus_ports
from llama2_myhdl.rtl.embedding.embedding import embedding
from llama2_myhdl.rtl.layer.packet import label, packet, token_request, vector
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.split import split
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.errors import BUS_ERROR_BITS

REGISTERS = ("dim", "dim_beats", "vocab_size")  # of the shape
LABELS = 2  # requests looked up or leaving, beside the one whose label is on the packet


@hblock
def embed_station(
    clk,
    rst,
    s_boot,
    m_boot,
    s,
    m,
    dim,
    dim_beats,
    vocab_size,
    CFG,
    enable=None,
    base=None,
    m_axi=None,
    error=None,
    busy=None,
):
    """s: token_request; m: packet with the token's embedding, in order; s_boot: boot beats (data, last).

    The first vocab_size * (1 + dim_beats) beats of an image fill the table, see `embedding_rows`, the others pass to
    m_boot in the same cycle; after a `last` the next image begins.
    dim, dim_beats, vocab_size: shape registers, stable from the first boot beat on.
    Latency and rate of `embedding`: the next request is taken, and looked up, while the elements before it leave.
    """
    # Of a build with its `embedding` in memory no image has the table: s_boot and m_boot are None, and enable, base,
    # m_axi, error and busy those of `bus_embedding`.
    BUS = CFG.embedding is not None
    if BUS != (m_axi is not None):
        raise ConfigError(f"embed_station: a build with rows {'in memory' if BUS else 'on the chip'} has other ports")
    table_beats = Stream(data=uint(CFG.beat_bits), last=bit())
    lookup = Stream(token=uint(CFG.token_bits))
    x = vector(CFG)
    taken, leaving = Stream(**label(CFG)), Stream(**label(CFG))
    fifo_ = fifo(clk, rst, taken, leaving, DEPTH=LABELS)

    # --- requests ---

    asked, labelled = carry(s, lookup), carry(s, taken)
    element = carry(x, m, seq=leaving.seq, pos=leaving.pos, scored=leaving.scored)

    @always_comb
    def request():
        lookup.valid.next = s.valid and taken.ready
        taken.valid.next = s.valid and lookup.ready
        s.ready.next = lookup.ready and taken.ready

    @always_comb
    def output():
        m.valid.next = x.valid and leaving.valid
        x.ready.next = m.ready and leaving.valid
        leaving.ready.next = m.ready and x.valid and x.last

    requests = asked, labelled, element, request, output
    if BUS:
        shape = dict(dim=dim, dim_beats=dim_beats, vocab_size=vocab_size)
        bus_embedding_ = bus_embedding(
            clk, rst, enable, base, s_token=lookup, m=x, **shape, m_axi=m_axi, error=error, busy=busy, CFG=CFG
        )
        return bus_embedding_, fifo_, *requests

    # --- boot ---

    beat = uint(len(dim_beats))
    token = uint(len(vocab_size))
    full, row_ends, table_ends = bit(), bit(), bit()  # the table is; the beat is a row's, the table's last one
    last_row = bit()  # register: true of every beat of that row but its first, and a row has two or more
    table_last = bit()

    embedding_ = embedding(
        clk, rst, s_boot=table_beats, s_token=lookup, m=x, dim=dim, dim_beats=dim_beats, CFG=CFG
    )

    @always_comb
    def ends():
        row_ends.next = beat == dim_beats
        table_ends.next = beat == dim_beats and last_row

    @always_comb
    def stop():
        table_last.next = s_boot.last or table_ends

    boot = split(s_boot, table_beats, m_boot, full, last=table_last)

    @always(clk.posedge)
    def fill():
        last_row.next = token == vocab_size - 1
        if rst:
            full.next = False
            beat.next = 0
            token.next = 0
        elif s_boot.valid and s_boot.ready:
            if s_boot.last:
                full.next = False
                beat.next = 0
                token.next = 0
            elif not full:
                beat.next = beat + 1
                if row_ends:
                    beat.next = 0
                    token.next = token + 1
                full.next = table_ends

    return embedding_, fifo_, ends, stop, boot, fill, *requests


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    shape = ShapeRegisters(cfg)
    if cfg.embedding:
        boot = dict(s_boot=None, m_boot=None)
        bus = dict(enable=bit(), **bus_ports(cfg), error=uint(BUS_ERROR_BITS), busy=bit())
    else:
        boot = {name: Stream(data=uint(cfg.beat_bits), last=bit()) for name in ("s_boot", "m_boot")}
        bus = {}
    return dict(
        clk=bit(),
        rst=bit(),
        **boot,
        s=token_request(cfg),
        m=packet(cfg),
        **shape.named(REGISTERS),
        CFG=cfg,
        **bus,
    )
