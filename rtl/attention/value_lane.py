"""One query row on the value side of an attention unit."""
from myhdl import always_comb, concat

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import unpack
from llama2_myhdl.rtl.attention.divide import divide
from llama2_myhdl.rtl.attention.exp_sum import ceiling_bits
from llama2_myhdl.rtl.attention.lazy import SCALE_BITS, STEP
from llama2_myhdl.rtl.attention.numerator import numerator
from llama2_myhdl.rtl.attention.pair_queue import pair_queue
from llama2_myhdl.rtl.attention.weighted_sum import num_bits
from llama2_myhdl.rtl.stream.stream import bit, sint, uint


@hblock
def value_lane(clk, rst, valid, first, step, ve, v, den_load, den, scale_den, num_load, head_dim, m, clips, CFG):
    """Numerators of one query row after the other, divided; pairs of elements wait in a queue.

    Ports: clk, rst; valid, first, step (see `key_lane`), ve, v: as `numerator` has them; den_load, den, scale_den,
    num_load, head_dim: see `divide`; m: Stream(data=F, second=F, last), which holds up to max_heads heads; clips
    uint(2): the first, the second element of a pair was clipped in this cycle.
    """
    mantissa = uint(CFG.p_frac + 1)
    c, largest = sint(ceiling_bits(CFG)), sint(ceiling_bits(CFG))
    num = uint(CFG.max_head_dim * (num_bits(CFG) + STEP - 1))
    scale = uint(SCALE_BITS)
    gap = uint(len(ve))
    clipped0, clipped1 = bit(), bit()
    pair, push = m.bare(), bit()

    splitting = unpack(step, [mantissa, c, largest])
    numerator_ = numerator(clk=clk, valid=valid, first=first, c=c, mantissa=mantissa, m=largest, ve=ve, v=v, num=num,
                           scale=scale, gap=gap, CFG=CFG)
    divide_ = divide(clk=clk, rst=rst, den_load=den_load, den=den, scale_den=scale_den, num_load=num_load, num=num,
                     scale_num=scale, gap=gap, head_dim=head_dim, valid=push, data=pair.data, second=pair.second,
                     last=pair.last, clipped0=clipped0, clipped1=clipped1, CFG=CFG)
    # room for all heads of a token
    pair_queue_ = pair_queue(clk, rst, push, pair, m, DEPTH=max(2, CFG.max_heads * CFG.max_head_dim // 2))

    @always_comb
    def count():
        clips.next = concat(clipped1 and push, clipped0 and push)

    return splitting, numerator_, divide_, pair_queue_, count
