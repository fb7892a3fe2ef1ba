"""Attention of the query heads that share the key/value heads of one unit."""
from myhdl import always, always_comb, concat

from rtl.arith.delay import delay
from rtl.attention import divide as division
from rtl.attention import kv_cache as cache
from rtl.attention import score as dot
from rtl.attention import softmax as shifts
from rtl.attention import weighted_sum as sums
from rtl.attention.divide import divide
from rtl.attention.kv_cache import kv_cache
from rtl.attention.lazy import SCALE_BITS, STEP, STEP_BITS
from rtl.attention.query_queue import query_queue
from rtl.attention.score import score
from rtl.attention.sequencer import sequencer
from rtl.attention.softmax import softmax
from rtl.attention.weighted_sum import den_bits, num_bits, weighted_sum
from rtl.hdl.hierarchy import hblock, unused
from rtl.hdl.lanes import pack, unpack
from rtl.stream.fifo import fifo
from rtl.stream.register import register
from rtl.stream.stream import Stream, bit, sint, uint


def latency(CFG):
    """Cycles from a key row's address (t = pos) to the head's first element at the FIFO's input."""
    return cache.LATENCY + dot.latency(CFG) + shifts.LATENCY + sums.LATENCY + division.LATENCY


@hblock
def attention_unit(clk, rst, key_we, value_we, push, addr, base, row, exponent, pos, head_dim, m, clips, CFG):
    """Streams the cache past one query row after the other: score, softmax, weighted sum, division; no stall.

    Ports: clk, rst; key_we, value_we: write `row` (packed lanes), `exponent` into the cache at `addr`; push: `row` is
    a query row whose keys begin at {base, 0}; pos, head_dim: stable while a query row is inside; m: Stream(data=F,
    last), which holds up to max_heads heads; clips uint(2): a score, an output element was clipped in this cycle.
    A head takes max(pos + 1, head_dim, sequencer.INTERVAL) cycles, heads follow each other without a gap; the last row
    takes latency(CFG) cycles to the first element. 2 * max_head_dim + 4 multipliers (18x18).

        row ─> query queue ────────────> q
                    sequencer ─> addr ─> key cache ─> score ─> softmax ─> weighted sum ─> divide ─> fifo ─> m
                                   └─> delay ─> value cache ────┴────────────┘
    """
    LANES = CFG.max_head_dim
    SCORE, WEIGHTS = dot.latency(CFG), shifts.LATENCY
    # stages count from the address: a row is in the register behind the RAM at stage KEY, its score at stage SCORED
    KEY = cache.LATENCY
    SCORED = KEY + SCORE
    SUMMED = SCORED + shifts.LATENCY + sums.LATENCY
    KEY_BITS, VALUE_BITS = min(CFG.key_bits, CFG.act_bits), min(CFG.value_bits, CFG.act_bits)
    NUM, DEN = num_bits(CFG) + STEP - 1, den_bits(CFG) + STEP - 1
    BESIDE = 2 * SCALE_BITS + len(exponent)

    waiting, take, load = bit(), bit(), bit()
    valid, first, last = bit(), bit(), bit()
    valids, firsts, lasts = uint(SUMMED), uint(SCORED), uint(SUMMED)  # bit k: that flag at stage k + 1
    head_base = uint(len(base))
    key_addr, value_addr = uint(len(addr)), uint(len(addr))
    q, qe = uint(len(row)), uint(len(exponent))
    k, ke, v, ve = uint(LANES * KEY_BITS), uint(len(exponent)), uint(LANES * VALUE_BITS), uint(len(exponent))
    v_late = uint(len(v))
    s = sint(CFG.score_bits)
    row_valid, row_first, weighted, summed = [bit() for _ in range(4)]
    p_num, p_den = uint(CFG.p_frac + 1), uint(CFG.p_frac + 1)
    scale_num, scale_den, scale_num_late, scale_den_late = [uint(SCALE_BITS) for _ in range(4)]
    step_num, step_den = uint(STEP_BITS), uint(STEP_BITS)
    gap, gap_late = uint(len(exponent)), uint(len(exponent))
    beside, beside_late = uint(BESIDE), uint(BESIDE)
    num, den = uint(LANES * NUM), uint(DEN)
    score_clipped, element_clipped = bit(), bit()
    result, stored = [Stream(data=sint(CFG.f_bits), last=bit()) for _ in range(2)]

    queue = query_queue(clk, rst, push, row, exponent, base, waiting, take, head_base, load, q, qe, ROWS=CFG.max_heads)
    walk = sequencer(clk, rst, waiting, head_base, take, pos, head_dim, key_addr, valid, first, last)
    value_later = delay(clk, key_addr, value_addr, CYCLES=SCORE)
    rows = kv_cache(clk, key_we, value_we, addr, row, exponent, key_addr, value_addr, k, ke, v, ve, CFG=CFG)

    @always(clk.posedge)
    def follow():
        if rst:
            valids.next = 0
            firsts.next = 0
            lasts.next = 0
        else:
            valids.next = concat(valids[SUMMED - 1:], valid)
            firsts.next = concat(firsts[SCORED - 1:], first)
            lasts.next = concat(lasts[SUMMED - 1:], last)

    @always_comb
    def stages():
        load.next = firsts[KEY - 2]
        row_valid.next = valids[SCORED - 1]
        row_first.next = firsts[SCORED - 1]
        weighted.next = valids[SCORED + WEIGHTS - 1]
        summed.next = lasts[SUMMED - 1]

    products = score(clk, q, qe, k, ke, s, score_clipped, CFG=CFG)
    weights = softmax(clk, row_valid, row_first, s, ve, p_num, scale_num, step_num, p_den, scale_den, step_den, gap,
                      CFG=CFG)
    values_wait = delay(clk, v, v_late, CYCLES=shifts.LATENCY)
    total = weighted_sum(clk, weighted, p_num, scale_num, step_num, p_den, scale_den, step_den, v_late, num, den,
                         CFG=CFG)
    packing = pack([scale_num, scale_den, gap], beside)
    beside_waits = delay(clk, beside, beside_late, CYCLES=sums.LATENCY)
    unpacking = unpack(beside_late, [scale_num_late, scale_den_late, gap_late])
    quotient = divide(clk, rst, summed, num, scale_num_late, den, scale_den_late, gap_late, head_dim,
                      result.valid, result.data, result.last, element_clipped, CFG=CFG)
    # room for all heads of a token: it never overflows, so `ready` need not be looked at
    output = fifo(clk, rst, result, stored, DEPTH=CFG.max_heads * CFG.max_head_dim)
    behind_ram = register(clk, rst, stored, m)
    unused(result.ready)

    @always_comb
    def count():
        clips.next = concat(element_clipped and result.valid, score_clipped and row_valid)

    return (queue, walk, value_later, rows, follow, stages, products, weights, values_wait, total, packing,
            beside_waits, unpacking, quotient, output, behind_ram, count)
