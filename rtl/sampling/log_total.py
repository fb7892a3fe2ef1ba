"""The natural logarithm of a sum of weights, digit by digit."""
from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling.leading import ZERO_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.formats import F_FRAC
from llama2_myhdl.spec.sampling import LN2, LN_DIGITS, LN_STEPS, LOG_BITS, SUM_BITS, WEIGHT_FRAC

LATENCY = 2 * LN_STEPS + 1  # cycles from `start` to `done`
LN_BITS = F_FRAC + 6  # of a logarithm, signed: a total has one of -15 .. 17


@hblock
def log_total(clk, rst, start, whole, zeros, y, done):
    """y = ln(whole) as golden.fixed.sampler takes it, one total at a time.

    Ports: clk, rst; start: whole, zeros, as `leading` gives them, are to be taken in this cycle; y sint(LN_BITS),
    F_FRAC fraction bits, of a total with WEIGHT_FRAC fraction bits; done: a pulse, LATENCY cycles after `start`, y
    stays until the next one. Multiplicative normalisation: the mantissa is brought to 2 by factors of 1 + 2**-k, whose
    logarithms add up; two cycles a factor.
    """
    MANTISSA = LOG_BITS
    UPPER = SUM_BITS - MANTISSA
    TWO = 1 << MANTISSA
    K_BITS = clog2(LN_STEPS + 1)
    # of the power of two above a total, by the zeros in front of it
    WHOLE = tuple((SUM_BITS - WEIGHT_FRAC - k) * LN2 for k in range(1 << ZERO_BITS))
    LOGS = LN_DIGITS + (0,) * ((1 << K_BITS) - len(LN_DIGITS))

    d, part = uint(MANTISSA), uint(MANTISSA)
    k, digit = uint(K_BITS), uint(F_FRAC)
    busy = bit()
    adds = bit()  # the second cycle of a digit

    @always(clk.posedge)
    def control():
        if rst:
            busy.next = False
            done.next = False
        else:
            if start:
                busy.next = True
            elif adds and k == LN_STEPS:
                busy.next = False
            done.next = busy and adds and k == LN_STEPS

    @always_comb
    def look_up():
        digit.next = LOGS[k]

    @always(clk.posedge)
    def digits():
        wide = intbv(0)[SUM_BITS:]
        t = intbv(0)[MANTISSA + 1:]
        wide[:] = whole << zeros
        t[:] = d + part
        part.next = d >> k
        adds.next = busy and not adds
        if start:
            d.next = wide[SUM_BITS:UPPER]
            y.next = WHOLE[zeros]
            k.next = 1
            adds.next = False
        elif adds:
            if t < TWO:
                d.next = t[MANTISSA:]
                y.next = y - digit
            k.next = k + 1

    return control, look_up, digits


def ports() -> dict:
    """Fresh ports."""
    total = dict(whole=uint(SUM_BITS), zeros=uint(ZERO_BITS))
    return dict(clk=bit(), rst=bit(), start=bit(), **total, y=sint(LN_BITS), done=bit())
