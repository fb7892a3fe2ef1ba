"""The tapes of a station, beside it: that of its layers, that of the head, or both of them in front of one matvec."""

from llama2_myhdl.hdl.hierarchy import hblock, tied, unused
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.memory.tape import tape
from llama2_myhdl.rtl.memory.tape_select import tape_select
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.program import max_head_beats, tape_depth


@hblock
def tapes(clk, rst, s, m_boot, m, from_head, n_layers, layer_beats, head_beats, CFG, LAYERS, HEAD):
    """s: boot beats (data, last): the tapes take their parts, layers first, and the others pass to m_boot.

    m: Stream(data), the beats of the tape that `from_head` chooses, if there are two (LAYERS and HEAD), else of the one
    there is. n_layers: layers of this station, 1 or more; layer_beats, head_beats: shape registers, beats of a layer
    and of the head. CFG: `BuildConfig.engine` of the build. Timing as of `rtl/memory/tape.py`.
    """
    boot_between = Stream(data=uint(CFG.beat_bits), last=bit())
    from_layers, from_tail = Stream(data=uint(CFG.beat_bits)), Stream(data=uint(CFG.beat_bits))
    one_part = tied(uint(1, 1))

    if LAYERS and HEAD:
        layers_ = tape(clk, rst, s, boot_between, from_layers, n_layers, layer_beats, DEPTH=tape_depth(CFG))
        head_ = tape(clk, rst, boot_between, m_boot, from_tail, one_part, head_beats, DEPTH=max_head_beats(CFG))
        tape_select_ = tape_select(from_layers, from_tail, from_head, m)
        return layers_, head_, tape_select_
    unused(from_head)
    if LAYERS:
        unused(head_beats)
        layers_ = tape(clk, rst, s, m_boot, m, n_layers, layer_beats, DEPTH=tape_depth(CFG))
        return layers_
    unused(n_layers, layer_beats)
    head_ = tape(clk, rst, s, m_boot, m, one_part, head_beats, DEPTH=max_head_beats(CFG))
    return head_


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
