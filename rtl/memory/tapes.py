"""The tapes of a station, beside it: that of its layers, that of the head, or both of them in front of one matvec."""

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.memory.tape import tape
from llama2_myhdl.rtl.memory.tape_select import tape_select
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.program import max_head_beats, tape_depth


@hblock
def tapes(clk, rst, s, m_boot, m, from_head, n_layers, layer_beats, head_beats, CFG, LAYERS, HEAD):
    """s: boot beats (data, last): the tapes take their parts, layers first, and the others pass to m_boot.

    m: Stream(data), the beats of the tape that `from_head` chooses, if there are two (LAYERS and HEAD), else of the one
    there is. n_layers: layers of this station, 1 or more; layer_beats, head_beats: shape registers, beats of a layer
    and of the head. CFG: `BuildConfig.engine` of the build. Timing as of `rtl/memory/tape.py`, and a skid buffer behind
    each tape: whether a beat is taken is known late, in the matvec, and a tape's memory lies far from there.
    """
    boot_between = Stream(data=uint(CFG.beat_bits), last=bit())
    from_layers, from_tail, next_layers, next_tail = (Stream(data=uint(CFG.beat_bits)) for _ in range(4))
    one_part = tied(uint(1, 1))

    if LAYERS and HEAD:
        layers_ = tape(clk, rst, s, boot_between, from_layers, n_layers, layer_beats, DEPTH=tape_depth(CFG))
        head_ = tape(clk, rst, boot_between, m_boot, from_tail, one_part, head_beats, DEPTH=max_head_beats(CFG))
        layers_skid = skid(clk, rst, from_layers, next_layers)
        tail_skid = skid(clk, rst, from_tail, next_tail)
        tape_select_ = tape_select(next_layers, next_tail, from_head, m)
        return layers_, head_, layers_skid, tail_skid, tape_select_
    unused(from_head)
    if LAYERS:
        unused(head_beats)
        layers_ = tape(clk, rst, s, m_boot, from_layers, n_layers, layer_beats, DEPTH=tape_depth(CFG))
        layers_skid = skid(clk, rst, from_layers, m)
        return layers_, layers_skid
    unused(n_layers, layer_beats)
    head_ = tape(clk, rst, s, m_boot, from_tail, one_part, head_beats, DEPTH=max_head_beats(CFG))
    tail_skid = skid(clk, rst, from_tail, m)
    return head_, tail_skid


def ports(cfg, layers, head):
    """Fresh ports and parameters, by name; cfg: `BuildConfig.engine` of a build."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        s=Stream(data=uint(cfg.beat_bits), last=bit()),
        m_boot=Stream(data=uint(cfg.beat_bits), last=bit()),
        m=Stream(data=uint(cfg.beat_bits)),
        from_head=bit(),
        n_layers=uint(cfg.max_layers.bit_length()),
        layer_beats=shape.layer_beats,
        head_beats=shape.head_beats,
        CFG=cfg,
        LAYERS=layers,
        HEAD=head,
    )
