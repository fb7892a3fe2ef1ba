"""RMSNorm: g*x element by element, 1/rms as one scalar behind the vector."""
from myhdl import always, always_comb, concat, intbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.arith import split_product as product
from llama2_myhdl.rtl.arith.split_product import LOW_BITS, split_product
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.matvec.streams import beat_stream, scale_stream
from llama2_myhdl.rtl.norm import even_shift as shifting
from llama2_myhdl.rtl.norm import rsqrt as root
from llama2_myhdl.rtl.norm import sum_of_squares as summing
from llama2_myhdl.rtl.norm.even_shift import GROUP, even_shift, group_count
from llama2_myhdl.rtl.norm.gain_buffer import gain_buffer
from llama2_myhdl.rtl.norm.rsqrt import rsqrt
from llama2_myhdl.rtl.norm.sum_of_squares import sum_of_squares
from llama2_myhdl.rtl.stream import fifo as output_fifo
from llama2_myhdl.rtl.stream.elastic import elastic
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import EPS_FRAC, EXP2_FRAC, GAIN_BITS

REGISTERS = ("eps_term", "gain_beats")  # of the shape
LATENCY = product.LATENCY + output_fifo.LATENCY  # cycles from an element of s_x to that of m_y
R_LATENCY = summing.LATENCY + shifting.LATENCY + root.LATENCY + 1  # cycles from the last element to m_r


@hblock
def rmsnorm(clk, rst, s_gain, s_x, m_y, m_r, eps_term, gain_beats, CFG):
    """g*x and 1/rms of a vector, as golden.fixed.norm.scale_by_gain and inverse_rms.

    s_gain: Stream(data=uint(CFG.beat_bits)): a vector of gains, see `gain_buffer`; one is held, the next is taken when
    the vector that uses it has passed. A mantissa of -2**15 is not allowed (the packer makes none).
    s_x: Stream(data=F, last=bit()); waits for its gains, and for the m_r of the vector before.
    m_y: Stream(data=F, last=bit()): x * gain mantissa / 2**15, rounded half up.
    m_r: Stream(factor=uint(EXP2_FRAC + 1), scale signed): one a vector. y * factor * 2**scale is the normalised vector.
    eps_term: dim * epsilon, EPS_FRAC fraction bits; gain_beats: beats of mantissas. Both stable while a vector passes.

    One element a cycle; LATENCY cycles to m_y, R_LATENCY from the last element to m_r. Seven multipliers: three for
    the squares, two for the gain, two in rsqrt.

        s_gain ─> gain_buffer ─┐
        s_x ─┬──────────────── x ─> round ─> m_y
             └─> sum_of_squares ─> even_shift ─> rsqrt ─> m_r
    """
    F = len(s_x.data)
    DROP = GAIN_BITS - 1
    HIGH, LOW = F - LOW_BITS + GAIN_BITS, LOW_BITS + 1 + GAIN_BITS
    LIMIT = 1 << (F + GAIN_BITS)
    TOTAL_BITS = 2 * F - 1 + clog2(CFG.max_dim)
    HALF_BITS = (GROUP * group_count(TOTAL_BITS)).bit_length()
    R_STEPS = R_LATENCY - 1
    SCALE_BASE = CFG.f_frac - EXP2_FRAC
    if DROP >= LOW_BITS:
        raise ValueError(f"rmsnorm: a gain must have {LOW_BITS} bits or fewer, has {GAIN_BITS}")
    if EPS_FRAC != len(eps_term):
        raise ValueError(f"rmsnorm: eps_term must have {EPS_FRAC} bits, has {len(eps_term)}")

    gain = sint(GAIN_BITS)
    exponent, exponent_r = sint(CFG.exp_bits), sint(CFG.exp_bits)
    high, low = sint(HIGH), sint(LOW)
    gain_ready, room, offered, take, last_taken = [bit() for _ in range(5)]
    first, last, busy = [bit() for _ in range(3)]  # busy: from a vector's last element until its m_r has left
    steps = uint(R_STEPS)  # bit k: the last element came k + 1 cycles ago
    total = uint(TOTAL_BITS)
    m = uint(EXP2_FRAC + 1)
    half = sint(HALF_BITS)
    factor = uint(EXP2_FRAC + 1)
    y = m_y.bare()

    gain_buffer_ = gain_buffer(clk=clk, rst=rst, s=s_gain, taken=take, last=s_x.last, gain=gain, exponent=exponent,
                               ready=gain_ready, gain_beats=gain_beats, CFG=CFG)
    split_product_ = split_product(clk, s_x.data, gain, high, low)
    elastic_ = elastic(clk, rst, offered, room, y, m_y, LATENCY=product.LATENCY)
    sum_of_squares_ = sum_of_squares(clk, s_x.data, take, first, eps_term, total, FRAC=CFG.f_frac)
    even_shift_ = even_shift(clk, total, m, half)
    rsqrt_ = rsqrt(clk, m, factor)

    @always_comb
    def accept():
        s_x.ready.next = room and gain_ready and not busy
        offered.next = s_x.valid and gain_ready and not busy
        take.next = s_x.valid and room and gain_ready and not busy
        last_taken.next = s_x.valid and room and gain_ready and not busy and s_x.last

    @always_comb
    def add():
        upper = intbv(0, min=-LIMIT, max=LIMIT)
        lower = intbv(0, min=-LIMIT, max=LIMIT)
        upper[:] = high
        upper[:] = upper << (LOW_BITS - DROP)
        upper[0] = low[DROP - 1]  # what rounds half up, where the partial product has nothing: one addition in all
        lower[:] = low
        lower[:] = lower >> DROP
        y.data.next = upper + lower
        y.last.next = last

    @always(clk.posedge)
    def control():
        if rst:
            first.next = True
            busy.next = False
            steps.next = 0
            m_r.valid.next = False
        else:
            steps.next = concat(steps[R_STEPS - 1:], last_taken)
            if take:
                first.next = s_x.last
            if last_taken:
                busy.next = True
            elif m_r.valid and m_r.ready:
                busy.next = False
            if steps[R_STEPS - 1]:
                m_r.valid.next = True
            elif m_r.ready:
                m_r.valid.next = False

    @always(clk.posedge)
    def result():
        scale = intbv(0, min=m_r.scale.min, max=m_r.scale.max)
        last.next = s_x.last
        if last_taken:
            exponent_r.next = exponent
        if steps[R_STEPS - 1]:
            m_r.factor.next = factor
            scale[:] = exponent_r
            scale[:] = scale + SCALE_BASE
            m_r.scale.next = scale - half

    return gain_buffer_, split_product_, elastic_, sum_of_squares_, even_shift_, rsqrt_, accept, add, control, result


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `rmsnorm(**ports(cfg))`."""
    shape = ShapeRegisters(cfg)
    streams = dict(s_gain=beat_stream(cfg), s_x=vector(cfg), m_y=vector(cfg), m_r=scale_stream(cfg))
    return dict(clk=bit(), rst=bit(), **streams, **shape.named(REGISTERS), CFG=cfg)
