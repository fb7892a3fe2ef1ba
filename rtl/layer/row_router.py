"""Sends every row of the matvec to the unit that waits for its kind."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import delta_stream, vector
from llama2_myhdl.rtl.matvec.streams import row_stream
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import bit
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.kinds import FFN_BIT, LOGITS_BIT, PARTIAL_BIT, RESIDUAL_BIT, VALUES_BIT


@hblock
def row_router(s, m_heads, m_values, m_residual, m_ffn, m_logits):
    """Combinational split of `s` (data F, kind, last) by kind; nothing is stored.

    m_heads: KEY and QUERY rows, with their kind; m_values: VALUE rows; m_residual: OUT, PARTIAL and DOWN rows, with
    `emit` low for PARTIAL; m_ffn: GATE_UP rows; m_logits: LOGITS rows. Each has data and last.
    """
    to_values = bit()
    to_residual = bit()
    to_ffn = bit()
    to_logits = bit()
    whole = bit()
    payloads = [carry(s, m_heads), carry(s, m_values), carry(s, m_residual, emit=whole)]
    payloads += [carry(s, m_ffn), carry(s, m_logits)]

    @always_comb
    def select():
        to_values.next = s.kind[VALUES_BIT]
        to_residual.next = s.kind[RESIDUAL_BIT]
        to_ffn.next = s.kind[FFN_BIT]
        to_logits.next = s.kind[LOGITS_BIT]
        whole.next = not s.kind[PARTIAL_BIT]

    @always_comb
    def valid():
        m_values.valid.next = s.valid and to_values
        m_residual.valid.next = s.valid and to_residual
        m_ffn.valid.next = s.valid and to_ffn
        m_logits.valid.next = s.valid and to_logits
        m_heads.valid.next = s.valid and not (to_values or to_residual or to_ffn or to_logits)

    @always_comb
    def ready():
        s.ready.next = (
            (m_values.ready or not to_values)
            and (m_residual.ready or not to_residual)
            and (m_ffn.ready or not to_ffn)
            and (m_logits.ready or not to_logits)
            and (m_heads.ready or to_values or to_residual or to_ffn or to_logits)
        )

    return payloads, select, valid, ready


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `row_router(**ports(cfg))`."""
    others = {name: vector(cfg) for name in ("m_values", "m_ffn", "m_logits")}
    return dict(s=row_stream(cfg), m_heads=row_stream(cfg), m_residual=delta_stream(cfg), **others)
