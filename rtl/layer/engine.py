"""A layer engine: a run of consecutive layers on one MAC array, fed by a stream of weights.

tape -> matvec -> rows -+-> rope -> head quantiser --+-> attention -----+
          ^             +-> value quantiser ---------+                  |
          |             +-> residual -> departure -> rmsnorm -----------+-> merge -> block quantiser -> scale -+
          |             +-> swiglu -------------------------------------+                                      |
          |             +-> tail -> prediction (an engine with the head)                                       |
          +-------------------------------- activation words and scalars <-------------------------------------+

An engine alone (HEAD) runs the final norm and the classifier too, from the head's tape, and answers with a prediction;
the engines of a wavefront answer with the packet. The tapes stand beside it (`rtl/memory/tapes.py`).
"""

from copy import copy

from myhdl import always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.rtl.attention.attention import attention, memory_ports
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.decode.counters import engine_counters
from llama2_myhdl.rtl.decode.orders import Order
from llama2_myhdl.rtl.ffn.swiglu import swiglu
from llama2_myhdl.rtl.layer import schedule as commands
from llama2_myhdl.rtl.layer.departure import departure
from llama2_myhdl.rtl.layer.head_ends import head_ends
from llama2_myhdl.rtl.layer.intake import intake
from llama2_myhdl.rtl.layer.packet import delta_stream, packet, pairs, prediction, vector
from llama2_myhdl.rtl.layer.residual import residual
from llama2_myhdl.rtl.layer.row_router import row_router
from llama2_myhdl.rtl.layer.schedule import schedule
from llama2_myhdl.rtl.layer.vector_merge import vector_merge
from llama2_myhdl.rtl.layer.vector_scale import vector_scale
from llama2_myhdl.rtl.logits.tail import tail
from llama2_myhdl.rtl.matvec.matvec import matvec
from llama2_myhdl.rtl.matvec.streams import activation_stream, beat_stream, command_stream, row_stream, scale_stream
from llama2_myhdl.rtl.norm import rmsnorm as normalisation
from llama2_myhdl.rtl.norm.rmsnorm import rmsnorm
from llama2_myhdl.rtl.quant.quantiser import element_stream, quantiser, word_stream
from llama2_myhdl.rtl.rope.rope import rope
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.causes import CAUSE_BITS
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.counters import COUNTER_BITS, SELECT_BITS
from llama2_myhdl.spec.formats import PHASE_BITS
from llama2_myhdl.spec.kinds import KIND_BITS

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
    clk,
    rst,
    s,
    s_tape,
    m,
    from_head,
    n_layers,
    shape,
    freq_we,
    freq_addr,
    freq_data,
    enable,
    select,
    value,
    order=None,
    memory=None,
    m_axi=None,
    CFG=None,
    HEAD=False,
):
    """One packet at a time through `n_layers` layers.

    s: packet; m: packet, or with HEAD the prediction for it; order: with HEAD, as in `rtl/logits/tail.py`. s_tape:
    `beat_stream`, the beats of a packet's matrices and gains in the order of `spec/program.py`, one a cycle when
    nothing waits: a beat that is late costs a stall of cause `tape`. from_head: out, a register: the beat wanted now is
    of the head's tape, else of the layers'.
    n_layers, shape (ShapeRegisters): stable while packets come; freq_*: write port of the RoPE frequencies. enable:
    counters run; select: counter number; value: out, that counter (`rtl/decode/counters.py`). memory, m_axi: as in
    `attention`. CFG: `BuildConfig.engine` of the build.
    """
    command, row, gain = command_stream(CFG), row_stream(CFG), beat_stream(CFG)
    head_row = row_stream(CFG)
    turned = Stream(data=sint(CFG.f_bits), tag=uint(KIND_BITS), last=bit())
    position = Stream(pos=uint(CFG.pos_bits))
    head, values = (word_stream(CFG.max_head_dim, bits) for bits in (CFG.act_bits, CFG.value_bits))
    fresh_x, value_row, value_head, x, to_norm, leaving = (vector(CFG) for _ in range(6))
    normed, up, gated, logit = (vector(CFG) for _ in range(4))
    delta, attended, chosen = delta_stream(CFG), pairs(CFG), element_stream()
    words = word_stream(CFG.lanes, CFG.act_bits)
    activations, scales = activation_stream(CFG), scale_stream(CFG)
    inverse_rms = scales.clone()
    start, done, attention_busy = (bit() for _ in range(3))
    pos, seq, scored = uint(CFG.pos_bits), uint(CFG.seq_bits), bit()
    layer = uint(clog2(CFG.max_layers))
    cause = uint(CAUSE_BITS)
    saturated = uint(SATURATION_SOURCES)
    sat_matvec, sat_rope, sat_attention, sat_residual, sat_ffn = (bit() for _ in range(SATURATION_SOURCES))
    classify = scored if HEAD else tied(bit())
    cache = dict(memory=memory, m_axi=m_axi) if CFG.cache else {}
    overflow = bit() if HEAD and CFG.list_entries else tied(bit())

    unused(shape.n_heads, shape.n_layers, shape.seq_len, shape.stop_a, shape.stop_b)
    unused(shape.layers_low, shape.layers_extra, shape.layer_beats, shape.head_beats)

    intake_ = intake(
        clk, rst, s=s, m_x=fresh_x, m_pos=position, start=start, done=done, pos=pos, seq=seq, scored=scored
    )
    schedule_ = schedule(
        clk,
        rst,
        start=start,
        head=classify,
        m=command,
        layer=layer,
        n_layers=n_layers,
        **shape.named(commands.REGISTERS),
        CFG=CFG,
    )
    matvec_ = matvec(
        clk,
        rst,
        s_cmd=command,
        s_tape=s_tape,
        s_act=activations,
        s_scale=scales,
        m_row=row,
        m_gain=gain,
        from_head=from_head,
        cause=cause,
        saturated=sat_matvec,
        CFG=CFG,
    )
    row_router_ = row_router(row, head_row, value_row, delta, up, logit)
    rope_ = rope(
        clk,
        rst,
        s=head_row,
        s_pos=position,
        m=turned,
        freq_we=freq_we,
        freq_addr=freq_addr,
        freq_data=freq_data,
        pairs=shape.pairs,
        saturated=sat_rope,
        CFG=CFG,
    )
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
    head_ends_ = head_ends(clk, rst, value_row, value_head, shape.head_dim)
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
    attention_ = attention(
        clk,
        rst,
        s=head,
        s_value=values,
        m=attended,
        layer=layer,
        seq=seq,
        pos=pos,
        head_dim=shape.head_dim,
        kv_mul=shape.kv_mul,
        n_kv_heads=shape.n_kv_heads,
        saturated=sat_attention,
        busy=attention_busy,
        CFG=CFG,
        **cache,
    )
    residual_ = residual(clk, rst, fresh_x, delta, x, sat_residual, CFG=CFG)
    departure_ = departure(
        clk, rst, s=x, m_norm=to_norm, m_exit=leaving, stay=classify, n_layers=n_layers
    )
    rmsnorm_ = rmsnorm(
        clk,
        rst,
        s_gain=gain,
        s_x=to_norm,
        m_y=normed,
        m_r=inverse_rms,
        **shape.named(normalisation.REGISTERS),
        CFG=CFG,
    )
    swiglu_ = swiglu(clk, rst, up, gated, sat_ffn, BLOCK=CFG.hidden_block)
    vector_merge_ = vector_merge(clk, rst, normed, attended, gated, chosen)
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
    vector_scale_ = vector_scale(clk, rst, words, inverse_rms, activations, scales)
    engine_counters_ = engine_counters(
        clk,
        rst,
        enable=enable,
        cause=cause,
        token=done,
        attention_busy=attention_busy,
        saturated=saturated,
        overflow=overflow,
        select=select,
        value=value,
    )

    @always_comb
    def saturations():
        saturated.next = concat(sat_ffn, sat_residual, sat_attention, sat_rope, sat_matvec)

    if HEAD:
        tail_ = tail(
            clk,
            rst,
            start=start,
            s_logit=logit,
            s_exit=leaving,
            m=m,
            done=done,
            pos=pos,
            seq=seq,
            scored=scored,
            overflow=overflow,
            order=order,
            CFG=CFG,
        )
        ending = [tail_]
    else:
        unused(logit.data, logit.last, logit.valid)
        forward = connect(leaving, m, pos=pos, seq=seq, scored=scored)

        @always_comb
        def leave():
            done.next = leaving.valid and m.ready and leaving.last
            logit.ready.next = False

        ending = forward, leave

    return (
        intake_,
        schedule_,
        matvec_,
        row_router_,
        rope_,
        head_quantiser,
        head_ends_,
        value_quantiser,
        attention_,
        residual_,
        departure_,
        rmsnorm_,
        swiglu_,
        vector_merge_,
        block_quantiser,
        vector_scale_,
        engine_counters_,
        saturations,
        ending,
    )


def ports(cfg: BuildConfig, head: bool) -> dict:
    """Fresh ports and parameters, by name; cfg: `BuildConfig.engine` of a build."""
    return dict(
        clk=bit(),
        rst=bit(),
        s=packet(cfg),
        s_tape=beat_stream(cfg),
        m=prediction(cfg) if head else packet(cfg),
        from_head=bit(),
        n_layers=uint(cfg.max_layers.bit_length()),
        shape=ShapeRegisters(cfg),
        freq_we=bit(),
        freq_addr=uint(clog2(cfg.max_head_dim // 2)),
        freq_data=uint(PHASE_BITS),
        enable=bit(),
        select=uint(SELECT_BITS),
        value=uint(COUNTER_BITS),
        **(dict(order=Order(cfg)) if head and cfg.list_entries else {}),
        **memory_ports(cfg),
        CFG=cfg,
        HEAD=head,
    )
