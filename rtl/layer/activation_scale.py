"""Joins a quantised vector with the scalar that narrowing will apply: 1/rms for a normalised one, 1 for the others."""

from myhdl import always, always_comb

from rtl.config import EXP2_FRAC, UNIT
from rtl.hdl.hierarchy import hblock
from rtl.layer.kinds import GAIN
from rtl.stream.stream import bit


@hblock
def activation_scale(clk, rst, s, s_r, m):
    """s: quantiser words (data, exponent, tag, last); s_r: 1/rms (factor, scale); m: (data, factor, scale, last).

    Words pass at once; the last word of a vector tagged GAIN waits for its 1/rms. scale = s_r.scale + exponent there,
    else exponent - 16 with factor 1.0. Latency 1, one word a cycle.
    """
    normed = bit()
    take = bit()

    @always_comb
    def join():
        normed.next = s.last and s.tag == GAIN

    @always_comb
    def moves():
        take.next = (m.ready or not m.valid) and s.valid and (s_r.valid or not normed)
        s.ready.next = (m.ready or not m.valid) and (s_r.valid or not normed)
        s_r.ready.next = (m.ready or not m.valid) and s.valid and normed

    @always(clk.posedge)
    def control():
        if rst:
            m.valid.next = False
        elif take:
            m.valid.next = True
        elif m.ready:
            m.valid.next = False

    @always(clk.posedge)
    def data():
        if take:
            m.data.next = s.data
            m.last.next = s.last
            if normed:
                m.factor.next = s_r.factor
                m.scale.next = s_r.scale + s.exponent
            else:
                m.factor.next = UNIT
                m.scale.next = s.exponent - EXP2_FRAC

    return join, moves, control, data
