"""A few lanes of the numerator, and the registers that pass the weight on to the next few."""
from myhdl import always, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.attention.lazy import CLEAR, SCALE_BITS, STEP
from llama2_myhdl.rtl.stream.stream import bit, sint, uint

LATENCY = 5  # cycles from a value to the sums that hold it

FINE_BITS = SCALE_BITS - 1  # of `scale`, done on the value; the last bit on the product


@hblock
def lane_group(clk, valid, p, scale, step, v, num, valid_next, p_next, scale_next, step_next, LANES):
    """num[i] = (num[i] >> growth) + p * v[i]; growth as scale and step (lazy.py).

    Ports: clk; valid, scale, step; v: packed signed lanes; p: their weight, signed, a cycle later; num: packed signed
    lanes, `scale` bits up; *_next: all but v, one cycle later, as they stand when valid. Without `valid` all stands
    still. One timestep a cycle, LATENCY cycles. LANES multipliers.
    The multipliers have registers of their own on both sides: where they lie does not bind the chain or the sums.

        v ─> << scale[2:0] ─> * p ─> << 8 * scale[3] ─> + (num >> 0, 16, 32) ─> num
    """
    HIGH = 1 << FINE_BITS  # shift of the last bit of scale
    SHIFTED = len(v) // LANES + HIGH - 1
    PRODUCT = len(p) - 2 + SHIFTED  # p is 1.0 at most, a power of two
    TERM, NUM = PRODUCT + HIGH, len(num) // LANES
    V_LIM, T_LIM, N_LIM = [1 << (w - 1) for w in (SHIFTED, TERM, NUM)]

    held = uint(len(v))
    vs, shifted = [sint(len(v) // LANES) for _ in range(LANES)], [sint(SHIFTED) for _ in range(LANES)]
    products, terms, sums = [[sint(w) for _ in range(LANES)] for w in (PRODUCT, TERM, NUM)]
    valid1, valid2, valid3, high1, high2 = [bit() for _ in range(5)]
    step1, step2, step3 = [uint(len(step)) for _ in range(3)]

    value_lanes = unpack(held, vs)
    sum_lanes = pack(sums, num)

    @always(clk.posedge)
    def travel():
        valid_next.next = valid
        if valid:
            scale_next.next = scale
            step_next.next = step
            held.next = v
        if valid_next:
            p_next.next = p
        valid1.next = valid_next
        valid2.next = valid1
        valid3.next = valid2
        high1.next = scale_next[FINE_BITS]
        high2.next = high1
        step1.next = step_next
        step2.next = step1
        step3.next = step2

    @always(clk.posedge)
    def scale_values():
        t = intbv(0, min=-V_LIM, max=V_LIM)
        if valid_next:
            for i in range(LANES):
                t[:] = vs[i]
                t[:] = t << scale_next[FINE_BITS:]
                shifted[i].next = t

    @always(clk.posedge)
    def multiply():
        if valid1:
            for i in range(LANES):
                products[i].next = p_next * shifted[i]

    @always(clk.posedge)
    def scale_products():
        t = intbv(0, min=-T_LIM, max=T_LIM)
        if valid2:
            for i in range(LANES):
                t[:] = products[i]
                if high2:
                    t[:] = t << HIGH
                terms[i].next = t

    @always(clk.posedge)
    def accumulate():
        kept = intbv(0, min=-N_LIM, max=N_LIM)
        if valid3:
            for i in range(LANES):
                if step3 == CLEAR:
                    kept[:] = 0
                elif step3 == 2:
                    kept[:] = sums[i] >> (2 * STEP)
                elif step3 == 1:
                    kept[:] = sums[i] >> STEP
                else:
                    kept[:] = sums[i]
                sums[i].next = kept + terms[i]

    return value_lanes, sum_lanes, travel, scale_values, multiply, scale_products, accumulate
