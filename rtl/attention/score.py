"""Attention score of one key row: dot product of block floating point rows, narrowed to signed 12.8."""
from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith import adder_tree as tree
from llama2_myhdl.rtl.arith import round_shift as narrowing
from llama2_myhdl.rtl.arith.adder_tree import adder_tree
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.arith.round_shift import round_shift
from llama2_myhdl.rtl.quant.exponent import EXPONENT_BITS
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import SCORE_FRAC

SHIFT_BITS = 6
_PRODUCTS = 2  # cycles; the second only takes them on to where their sums are made


def latency(CFG):
    """Cycles from the rows to the score."""
    return _PRODUCTS + tree.latency(CFG.max_head_dim) + narrowing.LATENCY


@hblock
def score(clk, valid, q, qe, k, ke, s, clipped, CFG):
    """s = q . k in 12.8, bit for bit golden.fixed.attention.scores. A pipeline, one key row a cycle.

    Ports: clk; valid: q and k are rows: products of others are not made; q, k: packed signed lanes, max_head_dim each;
    qe, ke: their exponents; s sint(CFG.score_bits); clipped: s was saturated. Latency latency(CFG) cycles. max_head_dim
    multipliers (18x18).

        q, k ─> products ─> adder tree ─> >> 40 - 8 - qe - ke, rounded ─> s
        qe, ke ─> sum ─> amount ─> delay ─┘
    """
    LANES = CFG.max_head_dim
    Q_BITS, K_BITS = len(q) // LANES, len(k) // LANES
    P_BITS = Q_BITS + K_BITS
    FULL_SHIFT = 2 * CFG.f_frac - SCORE_FRAC
    # rows of fewer bits have larger exponents: such a score would shift left, so the sum starts that much higher
    EXTRA = max(0, 2 * (CFG.f_bits - CFG.act_bits) - FULL_SHIFT)
    HIGHEST = FULL_SHIFT + EXTRA
    TREE = tree.latency(LANES)

    valid1, valid2 = bit(), bit()
    qs, ks = [sint(Q_BITS) for _ in range(LANES)], [sint(K_BITS) for _ in range(LANES)]
    products, moved = [[sint(P_BITS) for _ in range(LANES)] for _ in range(2)]
    terms, dot = uint(LANES * P_BITS), sint(P_BITS + clog2(LANES))
    raised = sint(len(dot) + EXTRA)
    exponent, amount_late = uint(SHIFT_BITS), uint(SHIFT_BITS)
    amount = Signal(modbv(0)[SHIFT_BITS:])  # wraps between rows only, where it is as good as any

    query_lanes = unpack(q, qs)
    key_lanes = unpack(k, ks)
    packing = pack(moved, terms)

    @always(clk.posedge)
    def multiply():
        valid1.next = valid
        valid2.next = valid1
        if valid:
            for i in range(LANES):
                products[i].next = qs[i] * ks[i]

    @always(clk.posedge)
    def take_on():
        if valid1:
            for i in range(LANES):
                moved[i].next = products[i]

    @always(clk.posedge)
    def shift_amount():
        exponent.next = qe + ke
        amount.next = HIGHEST - exponent

    @always_comb
    def lift():
        raised.next = dot << EXTRA

    adder_tree_ = adder_tree(clk, valid2, terms, dot, N=LANES)
    delay_ = delay(clk, amount, amount_late, CYCLES=_PRODUCTS + TREE - 2)
    round_shift_ = round_shift(clk, raised, amount_late, s, clipped)
    return query_lanes, key_lanes, packing, multiply, take_on, shift_amount, adder_tree_, lift, delay_, round_shift_


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `score(**ports(cfg))`."""
    query = dict(q=uint(cfg.max_head_dim * cfg.act_bits), qe=uint(EXPONENT_BITS))
    key = dict(k=uint(cfg.max_head_dim * min(cfg.key_bits, cfg.act_bits)), ke=uint(EXPONENT_BITS))
    return dict(clk=bit(), valid=bit(), **query, **key, s=sint(cfg.score_bits), clipped=bit(), CFG=cfg)
