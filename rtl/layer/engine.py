"""A layer engine: a run of consecutive layers on one MAC array, fed by a weight tape of its own.

tape -> matvec -> rows -+-> rope -> head quantiser --+-> attention -----+
          ^             +-> value quantiser ---------+                  |
          |             +-> residual -> departure -> rmsnorm -----------+-> merge -> block quantiser -> scale -+
          |             +-> swiglu -------------------------------------+                                      |
          |             +-> argmax -> prediction (an engine with the head)                                     |
          +-------------------------------- activation words and scalars <-------------------------------------+

An engine alone (HEAD) runs the final norm and the classifier too, from the head's tape, and answers with a prediction;
the engines of a wavefront answer with the packet.
"""

from copy import copy

from myhdl import always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.rtl.attention.attention import attention
from llama2_myhdl.rtl.decode.counters import engine_counters
from llama2_myhdl.rtl.ffn.swiglu import swiglu
from llama2_myhdl.rtl.layer.departure import departure
from llama2_myhdl.rtl.layer.head_ends import head_ends
from llama2_myhdl.rtl.layer.intake import intake
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.layer.residual import residual
from llama2_myhdl.rtl.layer.row_router import row_router
from llama2_myhdl.rtl.layer.schedule import schedule
from llama2_myhdl.rtl.layer.vector_merge import vector_merge
from llama2_myhdl.rtl.layer.vector_scale import vector_scale
from llama2_myhdl.rtl.logits.answer import answer
from llama2_myhdl.rtl.logits.argmax import argmax
from llama2_myhdl.rtl.matvec.matvec import matvec
from llama2_myhdl.rtl.matvec.streams import activation_stream, beat_stream, command_stream, row_stream, scale_stream
from llama2_myhdl.rtl.memory.tape import tape
from llama2_myhdl.rtl.memory.tape_select import tape_select
from llama2_myhdl.rtl.norm.rmsnorm import rmsnorm
from llama2_myhdl.rtl.quant.quantiser import EXPONENT_BITS, quantiser
from llama2_myhdl.rtl.rope.rope import rope
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.causes import CAUSE_BITS
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.kinds import KIND_BITS
from llama2_myhdl.spec.program import max_head_beats, tape_depth

SATURATION_SOURCES = 5


def singles(stream, build):
    """A stream of (data, tag, last) or (data, last) as a quantiser takes it: one element a beat, never a pair."""
    view = copy(stream)
    view.second, view.both = tied(sint(build.f_bits)), tied(bit())
    if not hasattr(view, "tag"):
        view.tag = tied(uint(KIND_BITS))
    return view


@hblock
def engine(
    clk, rst, s, s_boot, m_boot, m, n_layers, shape, freq_we, freq_addr, freq_data, enable, select, value, CFG, HEAD
):
    """One packet at a time through `n_layers` layers.

    s: packet; m: packet, or with HEAD the prediction for it. s_boot, m_boot: daisy chain of boot beats (data, last):
    the engine's tape takes its part. n_layers, shape (ShapeRegisters): stable while packets come; freq_*: write port of
    the RoPE frequencies. enable: counters run; select: counter number; value: out, that counter
    (`rtl/decode/counters.py`). CFG: `BuildConfig.engine` of the build.
    """
    command, row = command_stream(CFG), row_stream(CFG)
    beats, layer_beats, head_beats, gain = (beat_stream(CFG) for _ in range(4))
    boot_between = Stream(data=uint(CFG.beat_bits), last=bit())
    head_row = Stream(data=sint(CFG.f_bits), kind=uint(KIND_BITS), last=bit())
    turned = Stream(data=sint(CFG.f_bits), tag=uint(KIND_BITS), last=bit())
    position = Stream(pos=uint(CFG.pos_bits))
    head = Stream(
        data=uint(CFG.max_head_dim * CFG.act_bits), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit()
    )
    values = Stream(
        data=uint(CFG.max_head_dim * CFG.value_bits), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit()
    )
    fresh_x, value_row, value_head, x, to_norm, leaving = (vector(CFG) for _ in range(6))
    normed, up, gated, logit = (vector(CFG) for _ in range(4))
    delta = Stream(data=sint(CFG.f_bits), emit=bit(), last=bit())
    attended = Stream(data=sint(CFG.f_bits), second=sint(CFG.f_bits), last=bit())
    chosen = Stream(
        data=sint(CFG.f_bits), second=sint(CFG.f_bits), both=bit(), tag=uint(KIND_BITS), last=bit()
    )
    words = Stream(data=uint(CFG.act_word_bits), exponent=uint(EXPONENT_BITS), tag=uint(KIND_BITS), last=bit())
    activations, scales = activation_stream(CFG), scale_stream(CFG)
    inverse_rms = scales.clone()
    best = Stream(token=uint(CFG.token_bits))
    start, done, from_head, attention_busy = (bit() for _ in range(4))
    pos, seq, scored = uint(CFG.pos_bits), uint(CFG.seq_bits), bit()
    layer = uint(clog2(CFG.max_layers))
    cause = uint(CAUSE_BITS)
    saturated = uint(SATURATION_SOURCES)
    sat_matvec, sat_rope, sat_attention, sat_residual, sat_ffn = (bit() for _ in range(SATURATION_SOURCES))
    one_part = tied(uint(1, 1))
    classify = scored if HEAD else tied(bit())

    unused(shape.n_heads, shape.n_layers, shape.seq_len, shape.stop_a, shape.stop_b)
    unused(shape.layers_low, shape.layers_extra)

    entrance = intake(clk, rst, s, fresh_x, position, start, done, pos, seq, scored)
    sequence = schedule(
        clk,
        rst,
        start,
        classify,
        command,
        layer,
        n_layers,
        shape.dim,
        shape.kv_dim,
        shape.hidden_dim,
        shape.vocab_size,
        shape.dim_beats,
        shape.hidden_beats,
        shape.gain_beats,
        CFG=CFG,
    )
    matrix = matvec(
        clk, rst, command, beats, activations, scales, row, gain, from_head, cause, sat_matvec, CFG=CFG
    )
    router = row_router(row, head_row, value_row, delta, up, logit)
    rotary = rope(clk, rst, head_row, position, turned, freq_we, freq_addr, freq_data, shape.pairs, sat_rope, CFG=CFG)
    head_quantiser = quantiser(
        clk,
        rst,
        singles(turned, CFG),
        head,
        MAX_LEN=CFG.max_head_dim,
        WORD=CFG.max_head_dim,
        QLANES=CFG.max_head_dim,
        BITS=CFG.act_bits,
    )
    cutting = head_ends(clk, rst, value_row, value_head, shape.head_dim)
    value_quantiser = quantiser(
        clk,
        rst,
        singles(value_head, CFG),
        values,
        MAX_LEN=CFG.max_head_dim,
        WORD=CFG.max_head_dim,
        QLANES=CFG.max_head_dim,
        BITS=CFG.value_bits,
    )
    attend = attention(
        clk,
        rst,
        head,
        values,
        attended,
        layer,
        seq,
        pos,
        shape.head_dim,
        shape.kv_mul,
        shape.n_kv_heads,
        sat_attention,
        attention_busy,
        CFG=CFG,
    )
    accumulate = residual(clk, rst, fresh_x, delta, x, sat_residual, CFG=CFG)
    parting = departure(clk, rst, x, to_norm, leaving, start, classify, n_layers)
    norm = rmsnorm(clk, rst, gain, to_norm, normed, inverse_rms, shape.eps_term, shape.gain_beats, CFG=CFG)
    ffn = swiglu(clk, rst, up, gated, sat_ffn, BLOCK=CFG.hidden_block)
    merge = vector_merge(clk, rst, normed, attended, gated, chosen)
    block_quantiser = quantiser(
        clk,
        rst,
        chosen,
        words,
        MAX_LEN=max(CFG.max_dim, min(CFG.hidden_block, CFG.max_hidden)),
        WORD=CFG.lanes,
        QLANES=CFG.quant_lanes,
        BITS=CFG.act_bits,
    )
    scaling = vector_scale(clk, rst, words, inverse_rms, activations, scales)
    counts = engine_counters(
        clk, rst, enable, cause, done, attention_busy, saturated, select, value
    )

    @always_comb
    def saturations():
        saturated.next = concat(sat_ffn, sat_residual, sat_attention, sat_rope, sat_matvec)

    if HEAD:
        layer_tape = tape(
            clk, rst, s_boot, boot_between, layer_beats, n_layers, shape.layer_beats, DEPTH=tape_depth(CFG)
        )
        head_tape = tape(
            clk, rst, boot_between, m_boot, head_beats, one_part, shape.head_beats, DEPTH=max_head_beats(CFG)
        )
        choice = tape_select(layer_beats, head_beats, from_head, beats)
        choose = argmax(clk, rst, logit, best, CFG=CFG)
        reply = answer(clk, rst, best, leaving, m, done, pos, seq, scored)
        ending = layer_tape, head_tape, choice, choose, reply
    else:
        unused(shape.head_beats, from_head, logit.data, logit.last, logit.valid)
        layer_tape = tape(clk, rst, s_boot, m_boot, beats, n_layers, shape.layer_beats, DEPTH=tape_depth(CFG))

        @always_comb
        def passing():
            m.data.next = leaving.data
            m.last.next = leaving.last
            m.valid.next = leaving.valid
            m.pos.next = pos
            m.seq.next = seq
            m.scored.next = scored
            leaving.ready.next = m.ready
            done.next = leaving.valid and m.ready and leaving.last
            logit.ready.next = False

        ending = layer_tape, passing

    return (
        entrance,
        sequence,
        matrix,
        router,
        rotary,
        head_quantiser,
        cutting,
        value_quantiser,
        attend,
        accumulate,
        parting,
        norm,
        ffn,
        merge,
        block_quantiser,
        scaling,
        counts,
        saturations,
        ending,
    )
