"""Parts a quantised vector's words from the scalar that narrowing will apply: 1/rms for a normalised one, else 1."""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.matvec.streams import activation_stream, scale_stream
from llama2_myhdl.rtl.quant.quantiser import word_stream
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import EXP2_FRAC, UNIT
from llama2_myhdl.spec.kinds import GAIN

DEPTH = 4  # vectors whose exponents may wait for the 1/rms of an earlier one
SCALE_LATENCY = 1  # cycles from a vector's last word to its scalar


@hblock
def vector_scale(clk, rst, s, s_r, m, m_scale):
    """s: quantiser words (data, exponent, tag, last); s_r: 1/rms (factor, scale), one for each vector tagged GAIN.

    m: (data, last), the words as they come, latency 0: only while exponents of DEPTH vectors or more wait do they wait
    too. m_scale: (factor, scale), one a vector in order: s_r's with the exponent added for a vector tagged GAIN, factor
    1.0 and exponent - 16 for others; SCALE_LATENCY after the last word, or with s_r.
    """
    entry = Stream(exponent=uint(len(s.exponent)), normed=bit())
    oldest = entry.clone()
    payload = carry(s, m)
    fifo_ = fifo(clk, rst, entry, oldest, DEPTH=DEPTH)

    @always_comb
    def words():
        m.valid.next = s.valid and entry.ready
        s.ready.next = m.ready and entry.ready
        entry.valid.next = s.valid and s.last and m.ready
        entry.exponent.next = s.exponent
        entry.normed.next = s.tag == GAIN

    @always_comb
    def scalars():
        if oldest.normed:
            m_scale.factor.next = s_r.factor
            m_scale.scale.next = s_r.scale + oldest.exponent
        else:
            m_scale.factor.next = UNIT
            m_scale.scale.next = oldest.exponent - EXP2_FRAC
        m_scale.valid.next = oldest.valid and (s_r.valid or not oldest.normed)
        oldest.ready.next = m_scale.ready and (s_r.valid or not oldest.normed)
        s_r.ready.next = m_scale.ready and oldest.valid and oldest.normed

    return payload, fifo_, words, scalars


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports for a build: `vector_scale(**ports(cfg))`."""
    inputs = dict(s=word_stream(cfg.lanes, cfg.act_bits), s_r=scale_stream(cfg))
    return dict(clk=bit(), rst=bit(), **inputs, m=activation_stream(cfg), m_scale=scale_stream(cfg))
