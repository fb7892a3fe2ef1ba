"""The head as a station of its own, behind the last engine of a wavefront: final norm, classifier, argmax.

packet -> intake -> departure -> rmsnorm -> block quantiser -> scale -> matvec -> tail -> prediction
"""

from myhdl import always_comb

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.rtl.decode.counters import engine_counters
from llama2_myhdl.rtl.layer import schedule as commands
from llama2_myhdl.rtl.layer.departure import departure
from llama2_myhdl.rtl.layer.engine import singles
from llama2_myhdl.rtl.layer.intake import intake
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.layer.schedule import schedule
from llama2_myhdl.rtl.layer.vector_scale import vector_scale
from llama2_myhdl.rtl.logits.tail import tail
from llama2_myhdl.rtl.matvec.matvec import matvec
from llama2_myhdl.rtl.matvec.streams import activation_stream, beat_stream, command_stream, row_stream, scale_stream
from llama2_myhdl.rtl.norm import rmsnorm as normalisation
from llama2_myhdl.rtl.norm.rmsnorm import rmsnorm
from llama2_myhdl.rtl.quant.quantiser import quantiser, word_stream
from llama2_myhdl.rtl.stream.connect import connect
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.causes import CAUSE_BITS
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.kinds import GAIN, KIND_BITS


@hblock
def head(clk, rst, s, s_tape, m, from_head, shape, enable, select, value, order=None, CFG=None):
    """One packet at a time; those that are not scored pass without the classifier.

    s: packet; m: prediction; s_tape: beats of the head's tape; order: as in `rtl/logits/tail.py`. The
    other ports as in `rtl/layer/engine.py`.
    """
    command, row, gain = command_stream(CFG), row_stream(CFG), beat_stream(CFG)
    position = Stream(pos=uint(CFG.pos_bits))
    x, to_norm, leaving, normed, logit = (vector(CFG) for _ in range(5))
    words = word_stream(CFG.lanes, CFG.act_bits)
    activations, scales = activation_stream(CFG), scale_stream(CFG)
    inverse_rms = scales.clone()
    start, begins, done, saturated = (bit() for _ in range(4))
    pos, seq, scored = uint(CFG.pos_bits), uint(CFG.seq_bits), bit()
    layer, clipped = uint(clog2(CFG.max_layers)), uint(1)
    cause = uint(CAUSE_BITS)
    no_layers = tied(uint(1))
    overflow = bit() if CFG.list_entries else tied(bit())
    tagged = singles(normed, CFG)
    tagged.tag = tied(uint(KIND_BITS, GAIN))
    unused(position.pos, position.valid, layer, row.kind)
    unused(*shape.named(set(shape.NAMES) - {*commands.REGISTERS, *normalisation.REGISTERS}).values())

    intake_ = intake(
        clk, rst, s=s, m_x=x, m_pos=position, start=start, done=done, pos=pos, seq=seq, scored=scored
    )
    departure_ = departure(
        clk, rst, s=x, m_norm=to_norm, m_exit=leaving, stay=scored, n_layers=no_layers
    )
    schedule_ = schedule(
        clk,
        rst,
        start=begins,
        head=scored,
        m=command,
        layer=layer,
        n_layers=no_layers,
        **shape.named(commands.REGISTERS),
        CFG=CFG,
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
    block_quantiser = quantiser(
        clk, rst, tagged, words, MAX_LEN=CFG.max_dim, WORD=CFG.lanes, QLANES=CFG.quant_lanes, BITS=CFG.act_bits
    )
    vector_scale_ = vector_scale(clk, rst, words, inverse_rms, activations, scales)
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
        saturated=saturated,
        CFG=CFG,
    )
    logits = connect(row, logit)
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
    engine_counters_ = engine_counters(
        clk,
        rst,
        enable=enable,
        cause=cause,
        token=done,
        attention_busy=tied(bit()),
        saturated=clipped,
        overflow=overflow,
        select=select,
        value=value,
    )

    @always_comb
    def follow():
        position.ready.next = True
        begins.next = start and scored
        clipped.next = saturated

    return (
        intake_,
        departure_,
        schedule_,
        rmsnorm_,
        block_quantiser,
        vector_scale_,
        matvec_,
        logits,
        tail_,
        engine_counters_,
        follow,
    )
