"""The side of an attention unit that reads keys: scores and denominators."""
from myhdl import always, always_comb, block, concat

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention import exp_sum as exponentials
from llama2_myhdl.rtl.attention import numerator as summing
from llama2_myhdl.rtl.attention import query_queue as queueing
from llama2_myhdl.rtl.attention import score as dot
from llama2_myhdl.rtl.attention.cache_rows import key_latency, value_latency
from llama2_myhdl.rtl.attention.divide import EARLY
from llama2_myhdl.rtl.attention.exp_sum import ceiling_bits
from llama2_myhdl.rtl.attention.head_strobes import head_strobes
from llama2_myhdl.rtl.attention.key_cache import key_cache
from llama2_myhdl.rtl.attention.key_lane import key_lane
from llama2_myhdl.rtl.attention.lazy import SCALE_BITS, STEP
from llama2_myhdl.rtl.attention.query_queue import query_queue
from llama2_myhdl.rtl.attention.sequencer import sequencer
from llama2_myhdl.rtl.attention.weighted_sum import den_bits
from llama2_myhdl.rtl.cache.newest import newest
from llama2_myhdl.rtl.stream import fifo as output
from llama2_myhdl.rtl.stream.credit import credit
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.skid import skid
from llama2_myhdl.rtl.stream.stream import bit, uint

_TABLE = 16  # places of one memory made of look-up tables

_OUTPUT = output.LATENCY + 1  # cycles from the FIFO's input to m_step: behind it a skid buffer


def latency(CFG):
    """Cycles from the push of a pass's last row to m_step, at pos = 0."""
    return queueing.LATENCY + _flight(CFG) + _OUTPUT


def _wait(CFG):
    """Cycles that steps wait, so that a head's numerator is not done before its denominator has been inverted."""
    inverted = exponentials.LATENCY + EARLY - exponentials.SPLIT
    return max(1, inverted - _OUTPUT - value_latency(CFG) - summing.LATENCY)


def _flight(CFG):
    """Cycles from a key row's address to its step at the FIFO's input."""
    return key_latency(CFG) + dot.latency(CFG) + exponentials.SPLIT + _wait(CFG)


def step_bits(CFG):
    """Width of what the numerator gets of one score: mantissa, c, m, from the low bits on."""
    return CFG.p_frac + 1 + 2 * ceiling_bits(CFG)


@block
def beside_keys(clk, early, late, CFG):
    """Query rows come to the scores when the key rows do, which take longer from a cache of several banks."""
    cycles = key_latency(CFG) - queueing.ROW_LATENCY
    if cycles:
        return delay(clk, early, late, CYCLES=cycles)

    @always_comb
    def forward():
        late.next = early

    return forward


@hblock
def key_side(clk, rst, we, push, lane, ends, row, exponent, base, lanes, last, pos, m_pass, m_step, den_load, den,
             scale_den, clips, CFG, token=None, s_rows=None):
    """Streams the key cache past pass after pass of query rows, ahead of the values by as much as its FIFO holds.

    Ports: clk, rst; we: write `row`, `exponent` into the cache at {base, pos}; push, lane, ends, lanes, last: see
    `query_queue`; m_pass: Stream(base, lanes, last): what the numerators need of each pass; m_step: Stream(data): of
    each key row, step_bits(CFG) for each query, lane 0 low; den_load uint(queries): strobe, den and scale_den of that
    lane are a head's; clips uint(queries): that lane's score was clipped.
    token, s_rows: of a cache in memory, `token_label` and `key_rows`.
    A key row a cycle, or when it comes, without a gap between passes. max_head_dim multipliers (18x18) for each query.
    """
    QUERIES = len(lane)
    KEY_BITS = min(CFG.key_bits, CFG.act_bits)
    DEN = den_bits(CFG) + STEP - 1
    # stages count from the address: scores, steps at the FIFO
    FOUND = key_latency(CFG)
    SCORED = FOUND + dot.latency(CFG)
    SENT = _flight(CFG)
    AHEAD = SENT + output.LATENCY + 2  # so many steps under way keep the pipeline full
    DEPTH = -(-AHEAD // _TABLE) * _TABLE

    read, step, first, at_last = [bit() for _ in range(4)]
    permit, give, row_there, row_valid, row_first, row_last, collision = [bit() for _ in range(7)]
    valids, firsts, lasts = uint(SENT), uint(SCORED), uint(SCORED)  # bit k: that flag at stage k + 1
    addr, waddr = uint(len(base) + len(pos)), uint(len(base) + len(pos))
    q, qe = uint(QUERIES * len(row)), uint(QUERIES * len(exponent))
    q_read, qe_read = uint(len(q)), uint(len(qe))
    k, ke = uint(CFG.max_head_dim * KEY_BITS), uint(len(exponent))
    lanes_scored = uint(QUERIES)
    clipped = uint(QUERIES)
    qs, qes = [uint(len(row)) for _ in range(QUERIES)], [uint(len(exponent)) for _ in range(QUERIES)]
    steps = [uint(step_bits(CFG)) for _ in range(QUERIES)]
    dens, scales = [uint(DEN) for _ in range(QUERIES)], [uint(SCALE_BITS) for _ in range(QUERIES)]
    outs = [bit() for _ in range(QUERIES)]
    joined = uint(len(m_step.data))
    queued, begun, next_pass = [m_pass.clone() for _ in range(3)]
    done, next_step = m_step.clone(), m_step.clone()

    query_queue_ = query_queue(clk=clk, rst=rst, push=push, lane=lane, ends=ends, row=row, exponent=exponent, base=base,
                               lanes=lanes, last=last, m=queued, read=read, q=q_read, qe=qe_read, PASSES=CFG.max_heads)
    sequencer_ = sequencer(clk=clk, rst=rst, waiting=queued.valid, base=queued.base, taken=queued.ready, permit=permit,
                           pos=pos, addr=addr, step=step, first=first, last=at_last)
    if CFG.cache:
        T_BITS = len(pos)
        t, there, granted = uint(T_BITS), bit(), bit()
        credit_ = credit(clk, rst, step, give, granted, DEPTH=DEPTH)
        newest_ = newest(clk, rst, token, s_rows, we, row, exponent, t=t, step=step, first=first, last=at_last,
                         ends=queued.last, there=there, found=k, found_exponent=ke, CFG=CFG)

        @always_comb
        def await_row():
            t.next = addr[T_BITS:]
            permit.next = granted and there

        key_cache_ = newest_, await_row
    else:
        credit_ = credit(clk, rst, step, give, permit, DEPTH=DEPTH)
        key_cache_ = key_cache(clk=clk, we=we, waddr=waddr, wrow=row, wexp=exponent, raddr=addr, k=k, ke=ke, CFG=CFG)
    check_ = check(clk, rst, collision, MESSAGE="a key row is read while it is written")
    queries = beside_keys(clk, q_read, q, CFG), beside_keys(clk, qe_read, qe, CFG)
    splitting = unpack(q, qs), unpack(qe, qes)
    key_lanes = [key_lane(clk=clk, enter=row_there, valid=row_valid, first=row_first, q=qs[g], qe=qes[g], k=k, ke=ke,
                          step=steps[g], den=dens[g], scale=scales[g], clipped=outs[g], CFG=CFG)
                 for g in range(QUERIES)]
    joining = pack(steps, joined), pack(dens, den), pack(scales, scale_den), pack(outs, clipped)
    lanes_delay = delay(clk, queued.lanes, lanes_scored, CYCLES=SCORED)
    head_strobes_ = head_strobes(clk, rst, row_last, lanes_scored, den_load, CYCLES=exponentials.LATENCY)
    steps_delay = delay(clk, joined, done.data, CYCLES=_wait(CFG))
    # the credits and the number of heads see to it that there is room
    step_fifo = fifo(clk, rst, done, next_step, DEPTH=DEPTH)
    step_skid = skid(clk, rst, next_step, m_step)
    pass_fifo = fifo(clk, rst, begun, next_pass, DEPTH=CFG.max_heads)
    pass_skid = skid(clk, rst, next_pass, m_pass)
    unused(done.ready, begun.ready)

    @always_comb
    def begin():
        waddr.next = concat(base, pos)
        read.next = step and first
        give.next = next_step.valid and next_step.ready
        collision.next = we and step and addr == waddr

    # a cycle late, as its steps are later by far
    @always(clk.posedge)
    def tell():
        begun.valid.next = step and first and not rst
        begun.base.next = queued.base
        begun.lanes.next = queued.lanes
        begun.last.next = queued.last

    @always(clk.posedge)
    def follow():
        if rst:
            valids.next = 0
            firsts.next = 0
            lasts.next = 0
        else:
            valids.next = concat(valids[SENT - 1:], step)
            firsts.next = concat(firsts[SCORED - 1:], first)
            lasts.next = concat(lasts[SCORED - 1:], step and at_last)

    @always_comb
    def stages():
        row_there.next = valids[FOUND - 1]
        row_valid.next = valids[SCORED - 1]
        row_first.next = firsts[SCORED - 1]
        row_last.next = lasts[SCORED - 1]
        done.valid.next = valids[SENT - 1]
        clips.next = 0
        if valids[SCORED - 1]:
            clips.next = clipped & lanes_scored

    return (query_queue_, sequencer_, credit_, key_cache_, check_, queries, splitting, key_lanes, joining, lanes_delay,
            head_strobes_, steps_delay, step_fifo, step_skid, pass_fifo, pass_skid, begin, tell, follow, stages)
