"""A layer engine: all layers of the model on one MAC array, fed by one weight tape, with the classifier at the tape's
end.

tape -> matvec -> rows -+-> rope -> head quantiser -> attention -+
          ^             +-> residual -> rmsnorm -----------------+-> merge -> block quantiser -> scale -+
          |             +-> swiglu ------------------------------+                                      |
          |             +-> argmax -> prediction                                                        |
          +-------------------------------- activation words ------------------------------------------+
"""

from myhdl import always_comb, concat

from rtl.attention.attention import attention
from rtl.config import clog2
from rtl.ffn.swiglu import swiglu
from rtl.hdl.hierarchy import hblock, unused
from rtl.layer.activation_scale import activation_scale
from rtl.layer.intake import intake
from rtl.layer.kinds import KIND_BITS
from rtl.layer.packet import vector
from rtl.layer.residual import residual
from rtl.layer.row_router import row_router
from rtl.layer.schedule import schedule
from rtl.layer.vector_merge import vector_merge
from rtl.logits.argmax import argmax
from rtl.matvec.matvec import matvec
from rtl.matvec.streams import FACTOR_BITS, SCALE_BITS, activation_stream, beat_stream, command_stream, row_stream
from rtl.norm.rmsnorm import rmsnorm
from rtl.quant.quantiser import EXPONENT_BITS, quantiser
from rtl.rope.rope import rope
from rtl.stream.stream import Stream, bit, sint, uint

SATURATION_SOURCES = 5


@hblock
def engine(clk, rst, s, s_tape, m, shape, freq_we, freq_addr, freq_data, mac_beat, attention_busy, saturated, CFG):
    """One packet at a time: through all layers, the final norm and the classifier.

    s: packet; s_tape: tape beats (data); m: prediction for the packet. shape: ShapeRegisters; freq_*: write port of
    the RoPE frequencies. mac_beat: out, a weight beat was consumed this cycle; attention_busy: out; saturated: out,
    one bit a unit (matvec, RoPE, attention, residual, SwiGLU), set in a cycle in which that unit clipped a value.
    """
    command, row = command_stream(CFG), row_stream(CFG)
    gain = beat_stream(CFG)
    head_row = Stream(data=sint(CFG.f_bits), kind=uint(KIND_BITS), last=bit())
    position = Stream(pos=uint(CFG.pos_bits))
    turned = Stream(data=sint(CFG.f_bits), tag=uint(KIND_BITS), last=bit())
    head = Stream(
        data=uint(CFG.max_head_dim * CFG.act_bits), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit()
    )
    fresh_x, delta, x, normed, up, gated, logit = (vector(CFG) for _ in range(7))
    attended = Stream(data=sint(CFG.f_bits), tag=uint(KIND_BITS), last=bit())
    inverse_rms = Stream(factor=uint(FACTOR_BITS), scale=sint(SCALE_BITS))
    chosen = Stream(data=sint(CFG.f_bits), tag=uint(KIND_BITS), last=bit())
    words = Stream(data=uint(CFG.act_word_bits), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit())
    activations = activation_stream(CFG)
    best = Stream(token=uint(CFG.token_bits))
    start, done = bit(), bit()
    pos, seq, layer = uint(CFG.pos_bits), uint(CFG.seq_bits), uint(clog2(CFG.max_layers))
    sat_matvec, sat_rope, sat_attention, sat_residual, sat_ffn = (bit() for _ in range(SATURATION_SOURCES))

    unused(shape.n_heads, shape.seq_len, shape.stop_a, shape.stop_b)

    entrance = intake(clk, rst, s, fresh_x, position, start, done, pos, seq)
    sequence = schedule(
        clk,
        rst,
        start,
        command,
        layer,
        shape.dim,
        shape.kv_dim,
        shape.hidden_dim,
        shape.vocab_size,
        shape.n_layers,
        shape.dim_beats,
        shape.hidden_beats,
        shape.gain_beats,
    )
    matrix = matvec(clk, rst, command, s_tape, activations, row, gain, mac_beat, sat_matvec, CFG=CFG)
    router = row_router(row, head_row, delta, up, logit)
    rotary = rope(clk, rst, head_row, position, turned, freq_we, freq_addr, freq_data, shape.pairs, sat_rope, CFG=CFG)
    head_quantiser = quantiser(
        clk,
        rst,
        turned,
        head,
        MAX_LEN=CFG.max_head_dim,
        WORD=CFG.max_head_dim,
        QLANES=2,
        BITS=CFG.act_bits,
        NARROW=CFG.value_bits,
    )
    attend = attention(
        clk,
        rst,
        head,
        attended,
        layer,
        pos,
        shape.head_dim,
        shape.kv_mul,
        shape.n_kv_heads,
        sat_attention,
        attention_busy,
        CFG=CFG,
    )
    accumulate = residual(clk, rst, fresh_x, delta, x, sat_residual, CFG=CFG)
    norm = rmsnorm(clk, rst, gain, x, normed, inverse_rms, shape.eps_term, shape.gain_beats, CFG=CFG)
    ffn = swiglu(clk, rst, up, gated, sat_ffn)
    merge = vector_merge(clk, rst, normed, attended, gated, chosen)
    block_quantiser = quantiser(
        clk, rst, chosen, words, MAX_LEN=CFG.max_cols, WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits
    )
    scaling = activation_scale(clk, rst, words, inverse_rms, activations)
    choose = argmax(clk, rst, logit, best, CFG=CFG)

    @always_comb
    def result():
        m.token.next = best.token
        m.pos.next = pos
        m.seq.next = seq
        m.valid.next = best.valid
        best.ready.next = m.ready
        done.next = best.valid and m.ready

    @always_comb
    def saturations():
        saturated.next = concat(sat_ffn, sat_residual, sat_attention, sat_rope, sat_matvec)

    return (
        entrance,
        sequence,
        matrix,
        router,
        rotary,
        head_quantiser,
        attend,
        accumulate,
        norm,
        ffn,
        merge,
        block_quantiser,
        scaling,
        choose,
        result,
        saturations,
    )
