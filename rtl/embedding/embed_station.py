"""The first station: a token request in, a packet out; the first memory of the boot chain."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.embedding.embedding import embedding
from llama2_myhdl.rtl.layer.packet import label, packet, token_request, vector
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.split import split
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig

REGISTERS = ("dim", "dim_beats", "vocab_size")  # of the shape
LABELS = 2  # requests looked up or leaving, beside the one whose label is on the packet


@hblock
def embed_station(clk, rst, s_boot, m_boot, s, m, dim, dim_beats, vocab_size, CFG):
    """s: token_request; m: packet with the token's embedding, in order; s_boot: boot beats (data, last).

    The first vocab_size * (1 + dim_beats) beats of an image fill the table, see `embedding_rows`, the others pass to
    m_boot in the same cycle; after a `last` the next image begins.
    dim, dim_beats, vocab_size: shape registers, stable from the first boot beat on.
    Latency and rate of `embedding`: the next request is taken, and looked up, while the elements before it leave.
    """
    table_beats = Stream(data=uint(CFG.beat_bits), last=bit())
    lookup = Stream(token=uint(CFG.token_bits))
    x = vector(CFG)
    taken, leaving = Stream(**label(CFG)), Stream(**label(CFG))
    beat = uint(len(dim_beats))
    token = uint(len(vocab_size))
    full, row_ends, table_ends = bit(), bit(), bit()  # the table is; the beat is a row's, the table's last one
    table_last = bit()

    embedding_ = embedding(
        clk, rst, s_boot=table_beats, s_token=lookup, m=x, dim=dim, dim_beats=dim_beats, CFG=CFG
    )
    fifo_ = fifo(clk, rst, taken, leaving, DEPTH=LABELS)

    # --- boot ---

    @always_comb
    def ends():
        row_ends.next = beat == dim_beats
        table_ends.next = beat == dim_beats and token == vocab_size - 1

    @always_comb
    def stop():
        table_last.next = s_boot.last or table_ends

    boot = split(s_boot, table_beats, m_boot, full, last=table_last)

    @always(clk.posedge)
    def fill():
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

    return embedding_, fifo_, ends, stop, boot, fill, asked, labelled, element, request, output


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters, by name."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        s_boot=Stream(data=uint(cfg.beat_bits), last=bit()),
        m_boot=Stream(data=uint(cfg.beat_bits), last=bit()),
        s=token_request(cfg),
        m=packet(cfg),
        **shape.named(REGISTERS),
        CFG=cfg,
    )
