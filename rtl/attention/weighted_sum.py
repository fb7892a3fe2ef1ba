"""Numerator and denominator of attention: sums of weighted value rows that shift when their reference grows."""
from myhdl import always, intbv

from rtl.attention.lazy import CLEAR, SCALE_BITS, STEP
from rtl.config import clog2
from rtl.hdl.hierarchy import hblock
from rtl.hdl.lanes import pack, unpack
from rtl.stream.stream import bit, sint, uint

LATENCY = 4  # cycles from a timestep to the sums that hold it

FINE_BITS = SCALE_BITS - 1  # of `scale`, done on the value; the last bit on the product


def num_bits(CFG):
    """Width of a numerator that cannot overflow: max_seq weights of up to 1.0 times int8 values."""
    return CFG.p_frac + CFG.value_bits + clog2(CFG.max_seq)


def den_bits(CFG):
    """Width of a denominator that cannot overflow."""
    return CFG.p_frac + clog2(CFG.max_seq) + 1


@hblock
def weighted_sum(clk, valid, p_num, scale_num, step_num, p_den, scale_den, step_den, v, num, den, CFG):
    """num[i] = (num[i] >> growth) + p_num * v[i], den = (den >> growth) + p_den; growth as scale and step (lazy.py).

    Ports: clk; valid; p_*, scale_*, step_* from `softmax`; v: packed signed lanes of CFG.value_bits;
    num: packed signed lanes of num_bits(CFG) + STEP - 1 bits, `scale_num` bits up; den unsigned, den_bits(CFG) +
    STEP - 1 bits, `scale_den` bits up. One timestep a cycle, LATENCY cycles. max_head_dim multipliers (18x18 each in
    builds of up to 512 positions).

        v ─> << scale[2:0] ─> * p_num ─> << 8 * scale[3] ─> + ─> num
                                           (num >> 0, 16, 32) ┘
    """
    LANES = CFG.max_head_dim
    V_BITS = CFG.value_bits
    UP = STEP - 1
    HIGH = 1 << FINE_BITS  # shift of the last bit of scale
    SHIFTED = V_BITS + (1 << FINE_BITS) - 1
    P_BITS = CFG.p_frac + 2  # signed
    PRODUCT = CFG.p_frac + SHIFTED
    TERM = PRODUCT + HIGH
    NUM = num_bits(CFG) + UP
    D_PRODUCT = CFG.p_frac + 1 + (1 << FINE_BITS) - 1
    D_TERM = D_PRODUCT + HIGH
    V_LIM, P_LIM, T_LIM, N_LIM = [1 << (w - 1) for w in (SHIFTED, P_BITS, TERM, NUM)]
    DEN = len(den)

    vs, shifted = [sint(V_BITS) for _ in range(LANES)], [sint(SHIFTED) for _ in range(LANES)]
    products, terms, sums = [[sint(w) for _ in range(LANES)] for w in (PRODUCT, TERM, NUM)]
    p = sint(P_BITS)
    d0, d1, d2 = uint(D_PRODUCT), uint(D_PRODUCT), uint(D_TERM)
    # suffix: the register stage
    valid0, valid1, valid2 = bit(), bit(), bit()
    high_n0, high_n1, high_d0, high_d1 = bit(), bit(), bit(), bit()
    step_n0, step_n1, step_n2, step_d0, step_d1, step_d2 = [uint(len(step_num)) for _ in range(6)]

    value_lanes = unpack(v, vs)
    sum_lanes = pack(sums, num)

    @always(clk.posedge)
    def travel():
        valid0.next = valid
        valid1.next = valid0
        valid2.next = valid1
        step_n0.next = step_num
        step_n1.next = step_n0
        step_n2.next = step_n1
        step_d0.next = step_den
        step_d1.next = step_d0
        step_d2.next = step_d1
        high_n0.next = scale_num[FINE_BITS]
        high_n1.next = high_n0
        high_d0.next = scale_den[FINE_BITS]
        high_d1.next = high_d0

    @always(clk.posedge)
    def scale_values():
        t = intbv(0, min=-V_LIM, max=V_LIM)
        for i in range(LANES):
            t[:] = vs[i]
            t[:] = t << scale_num[FINE_BITS:]
            shifted[i].next = t

    @always(clk.posedge)
    def multiply():
        w = intbv(0, min=-P_LIM, max=P_LIM)
        w[:] = p_num
        p.next = w
        for i in range(LANES):
            products[i].next = p * shifted[i]

    @always(clk.posedge)
    def scale_products():
        t = intbv(0, min=-T_LIM, max=T_LIM)
        for i in range(LANES):
            t[:] = products[i]
            if high_n1:
                t[:] = t << HIGH
            terms[i].next = t

    @always(clk.posedge)
    def accumulate():
        kept = intbv(0, min=-N_LIM, max=N_LIM)
        if valid2:
            for i in range(LANES):
                if step_n2 == CLEAR:
                    kept[:] = 0
                elif step_n2 == 2:
                    kept[:] = sums[i] >> (2 * STEP)
                elif step_n2 == 1:
                    kept[:] = sums[i] >> STEP
                else:
                    kept[:] = sums[i]
                sums[i].next = kept + terms[i]

    @always(clk.posedge)
    def denominator():
        t = intbv(0)[D_TERM:]
        w = intbv(0)[D_PRODUCT:]
        w[:] = p_den
        d0.next = w << scale_den[FINE_BITS:]
        d1.next = d0
        t[:] = d1
        if high_d1:
            t[:] = t << HIGH
        d2.next = t

    @always(clk.posedge)
    def accumulate_denominator():
        rest = intbv(0)[DEN:]
        if valid2:
            if step_d2 == CLEAR:
                rest[:] = 0
            elif step_d2 == 2:
                rest[:] = den >> (2 * STEP)
            elif step_d2 == 1:
                rest[:] = den >> STEP
            else:
                rest[:] = den
            den.next = rest + d2

    return (value_lanes, sum_lanes, travel, scale_values, multiply, scale_products, accumulate, denominator,
            accumulate_denominator)
