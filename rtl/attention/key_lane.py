"""One query row on the key side of an attention unit."""
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack
from llama2_myhdl.rtl.attention.exp_sum import ceiling_bits, exp_sum
from llama2_myhdl.rtl.attention.score import score
from llama2_myhdl.rtl.stream.stream import sint, uint


@hblock
def key_lane(clk, enter, valid, first, q, qe, k, ke, step, den, scale, clipped, CFG):
    """Scores of one query row, their exponentials and the sum of these.

    Ports: clk; enter: q and k are rows; valid, first: of the score; q, qe, k, ke, clipped: see `score`; step: mantissa,
    c and m, packed; den, scale: see `exp_sum`. A pipeline.
    """
    s = sint(CFG.score_bits)
    c, m = sint(ceiling_bits(CFG)), sint(ceiling_bits(CFG))
    mantissa = uint(CFG.p_frac + 1)

    score_ = score(clk=clk, valid=enter, q=q, qe=qe, k=k, ke=ke, s=s, clipped=clipped, CFG=CFG)
    exp_sum_ = exp_sum(clk=clk, valid=valid, first=first, s=s, c=c, mantissa=mantissa, m=m, den=den, scale=scale,
                       CFG=CFG)
    packing = pack([mantissa, c, m], step)
    return score_, exp_sum_, packing
