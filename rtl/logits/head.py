"""The head as a station of its own, behind the last engine of a wavefront: final norm, classifier, argmax.

packet -> intake -> departure -> rmsnorm -> block quantiser -> scale -> matvec -> argmax -> prediction
"""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.rtl.decode.counters import engine_counters
from llama2_myhdl.rtl.layer.departure import departure
from llama2_myhdl.rtl.layer.engine import singles
from llama2_myhdl.rtl.layer.intake import intake
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.layer.schedule import schedule
from llama2_myhdl.rtl.layer.vector_scale import vector_scale
from llama2_myhdl.rtl.logits.answer import answer
from llama2_myhdl.rtl.logits.argmax import argmax
from llama2_myhdl.rtl.matvec.matvec import matvec
from llama2_myhdl.rtl.matvec.streams import activation_stream, beat_stream, command_stream, row_stream, scale_stream
from llama2_myhdl.rtl.memory.tape import tape
from llama2_myhdl.rtl.norm.rmsnorm import rmsnorm
from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS, quantiser
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.causes import CAUSE_BITS
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.kinds import GAIN, KIND_BITS
from llama2_myhdl.spec.program import max_head_beats


@hblock
def head(clk, rst, s, s_boot, m_boot, m, shape, enable, select, value, CFG):
    """One packet at a time; those that are not scored pass without the classifier.

    s: packet; m: prediction. The other ports as in `rtl/layer/engine.py`.
    """
    command, row = command_stream(CFG), row_stream(CFG)
    beats, gain = beat_stream(CFG), beat_stream(CFG)
    position = Stream(pos=uint(CFG.pos_bits))
    x, to_norm, leaving, normed, logit = (vector(CFG) for _ in range(5))
    words = Stream(data=uint(CFG.act_word_bits), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit())
    activations, scales = activation_stream(CFG), scale_stream(CFG)
    inverse_rms = scales.clone()
    best = Stream(token=uint(CFG.token_bits))
    start, begins, done, from_head, saturated = (bit() for _ in range(5))
    pos, seq, scored = uint(CFG.pos_bits), uint(CFG.seq_bits), bit()
    layer, clipped = uint(clog2(CFG.max_layers)), uint(1)
    cause = uint(CAUSE_BITS)
    one_part, no_layers = tied(uint(1, 1)), tied(uint(1))
    tagged = singles(normed, CFG)
    tagged.tag = tied(uint(KIND_BITS, GAIN))
    unused(position.pos, position.valid, layer, from_head, row.kind)
    unused(*(getattr(shape, name) for name in shape.NAMES if name not in USED))

    entrance = intake(clk, rst, s, x, position, start, done, pos, seq, scored)
    parting = departure(clk, rst, x, to_norm, leaving, start, scored, no_layers)
    sequence = schedule(
        clk,
        rst,
        begins,
        scored,
        command,
        layer,
        no_layers,
        shape.dim,
        shape.kv_dim,
        shape.hidden_dim,
        shape.vocab_size,
        shape.dim_beats,
        shape.hidden_beats,
        shape.gain_beats,
        CFG=CFG,
    )
    norm = rmsnorm(clk, rst, gain, to_norm, normed, inverse_rms, shape.eps_term, shape.gain_beats, CFG=CFG)
    block_quantiser = quantiser(
        clk, rst, tagged, words, MAX_LEN=CFG.max_dim, WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits
    )
    scaling = vector_scale(clk, rst, words, inverse_rms, activations, scales)
    matrix = matvec(clk, rst, command, beats, activations, scales, row, gain, from_head, cause, saturated, CFG=CFG)
    weights = tape(clk, rst, s_boot, m_boot, beats, one_part, shape.head_beats, DEPTH=max_head_beats(CFG))
    choose = argmax(clk, rst, logit, best, CFG=CFG)
    reply = answer(clk, rst, best, leaving, m, done, pos, seq, scored)
    counts = engine_counters(clk, rst, enable, cause, done, tied(bit()), clipped, select, value)

    @always_comb
    def connect():
        position.ready.next = True
        begins.next = start and scored
        clipped.next = saturated
        logit.data.next = row.data
        logit.last.next = row.last
        logit.valid.next = row.valid
        row.ready.next = logit.ready

    return (
        entrance,
        parting,
        sequence,
        norm,
        block_quantiser,
        scaling,
        matrix,
        weights,
        choose,
        reply,
        counts,
        connect,
    )


USED = (
    "dim",
    "kv_dim",
    "hidden_dim",
    "vocab_size",
    "dim_beats",
    "hidden_beats",
    "gain_beats",
    "eps_term",
    "head_beats",
)
