"""The side of an attention unit that reads values: numerators, divided by the denominators."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, pack_payload, unpack, unpack_payload
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention import divide as division
from llama2_myhdl.rtl.attention import numerator as summing
from llama2_myhdl.rtl.attention import pair_queue as output
from llama2_myhdl.rtl.attention.cache_rows import rows, value_latency
from llama2_myhdl.rtl.attention.head_strobes import head_strobes
from llama2_myhdl.rtl.attention.sequencer import sequencer
from llama2_myhdl.rtl.attention.value_gate import value_gate
from llama2_myhdl.rtl.attention.value_lane import value_lane
from llama2_myhdl.rtl.cache.newest import newest
from llama2_myhdl.rtl.memory.banked_ram import banked_ram
from llama2_myhdl.rtl.stream.stream import Payload, bit, uint

_DIVIDED = summing.LATENCY + division.LATENCY + output.LATENCY
VALUE_LATENCY = _DIVIDED  # cycles from the value row that the last step of a pass waits for to the pass's first pair


def latency(CFG):
    """Cycles from the last step of a pass to its first pair."""
    return value_latency(CFG) + _DIVIDED


@hblock
def value_side(clk, rst, s_pass, s_step, den_load, den, scale_den, we, row, exponent, base, pos, head_dim, m, clips,
               CFG, token=None, s_rows=None):
    """Weighs the value rows of pass after pass with what the key side found, and divides.

    Ports: clk, rst; s_pass, s_step, den_load, den, scale_den: from `key_side`; we: write `row`, `exponent` into the
    cache at {base, pos}; m: Series of `packet.pairs`, a stream for each query; clips uint(2 * queries): an element was
    clipped; token, s_rows: of a cache in memory, `token_label` and `value_rows`.
    A pass takes max(pos + 1, head_dim / 2) cycles; its step t = pos waits for the value row of the token, which may
    jump the cache.

        s_step ─> gate ─> values, exponents ─> numerator of each query ─> divide ─> queue
    """
    QUERIES = len(s_pass.lanes)
    STEP, DEN, SCALE = len(s_step.data) // QUERIES, len(den) // QUERIES, len(scale_den) // QUERIES
    ADDRESS = len(base) + len(pos)
    KV_HEADS = rows(CFG) // (CFG.max_layers * CFG.sequences * CFG.max_seq)
    FOUND = value_latency(CFG)

    waiting, first, at_last, permit, moving, regular, jump, step = [bit() for _ in range(8)]
    addr, waddr = uint(ADDRESS), uint(ADDRESS)
    v_found, v_taken, v = [uint(len(row)) for _ in range(3)]
    ve_found, ve = uint(len(exponent)), uint(len(exponent))
    asked, there = [Payload(data=uint(len(s_step.data)), lanes=uint(QUERIES), first=bit(), last=bit())
                    for _ in range(2)]
    asked_bus, there_bus = uint(asked.width), uint(asked.width)
    taken, lanes_taken = uint(len(s_step.data)), uint(QUERIES)
    valid_taken, first_taken, last_taken, ends, collision = [bit() for _ in range(5)]
    valids = uint(FOUND)  # bit k: a row was asked for k + 1 cycles ago
    num_load = uint(QUERIES)
    steps, dens, scales = [[uint(w) for _ in range(QUERIES)] for w in (STEP, DEN, SCALE)]
    den_loads, num_loads = [bit() for _ in range(QUERIES)], [bit() for _ in range(QUERIES)]
    events = [uint(2) for _ in range(QUERIES)]

    value_gate_ = value_gate(clk=clk, rst=rst, waiting=waiting, last=at_last, ends=s_pass.last, arrives=we,
                             head_dim=head_dim, permit=permit, step=regular, jump=jump, INTERVAL=division.INTERVAL,
                             HEADS=KV_HEADS, AHEAD=FOUND)
    sequencer_ = sequencer(clk=clk, rst=rst, waiting=s_pass.valid, base=s_pass.base, taken=s_pass.ready, permit=moving,
                           pos=pos, addr=addr, step=step, first=first, last=at_last)
    if CFG.cache:
        T_BITS = len(pos)
        t, row_there = uint(T_BITS), bit()
        newest_ = newest(clk, rst, token, s_rows, we, row, exponent, t=t, step=step, first=first, last=at_last,
                         ends=s_pass.last, there=row_there, found=v_found, found_exponent=ve_found, CFG=CFG)

        @always_comb
        def accept():
            t.next = addr[T_BITS:]
            waiting.next = s_step.valid and row_there
            moving.next = s_step.valid and row_there and permit
            s_step.ready.next = row_there and permit
            waddr.next = concat(base, pos)

        cache = newest_, accept
    else:
        written, found = uint(len(row) + len(exponent)), uint(len(row) + len(exponent))
        storing = pack([row, exponent], written)
        banked_ram_ = banked_ram(clk, we=we, waddr=waddr, wdata=written, raddr=addr, rdata=found, DEPTH=rows(CFG))
        finding = unpack(found, [v_found, ve_found])
        unused(step)

        @always_comb
        def accept():
            waiting.next = s_step.valid
            moving.next = s_step.valid and permit
            s_step.ready.next = permit
            waddr.next = concat(base, pos)

        cache = storing, banked_ram_, finding, accept
    check_ = check(clk, rst, collision, MESSAGE="a value row is read while it is written")
    asking, telling = pack_payload(asked, asked_bus), unpack_payload(there_bus, there)
    step_delay = delay(clk, asked_bus, there_bus, CYCLES=FOUND)
    value_delay = delay(clk, v_taken, v, CYCLES=summing.VALUES)
    head_strobes_ = head_strobes(clk, rst, ends, lanes_taken, num_load, CYCLES=summing.LATENCY)
    splitting = (unpack(taken, steps), unpack(den, dens), unpack(scale_den, scales), unpack(den_load, den_loads),
                 unpack(num_load, num_loads))
    value_lanes = [value_lane(clk=clk, rst=rst, valid=valid_taken, first=first_taken, step=steps[g], ve=ve, v=v,
                              den_load=den_loads[g], den=dens[g], scale_den=scales[g], num_load=num_loads[g],
                              head_dim=head_dim, m=m[g], clips=events[g], CFG=CFG) for g in range(QUERIES)]
    joining = pack(events, clips)

    @always_comb
    def ask():
        asked.data.next = s_step.data
        asked.lanes.next = s_pass.lanes
        asked.first.next = first
        asked.last.next = at_last

    @always_comb
    def take():
        if jump:
            first_taken.next = first
            last_taken.next = True
            lanes_taken.next = s_pass.lanes
            taken.next = s_step.data
            ve.next = exponent
            v_taken.next = row
        else:
            first_taken.next = there.first
            last_taken.next = there.last
            lanes_taken.next = there.lanes
            taken.next = there.data
            ve.next = ve_found
            v_taken.next = v_found
        valid_taken.next = jump or valids[FOUND - 1]

    @always(clk.posedge)
    def follow():
        if rst:
            valids.next = 0
        else:
            valids.next = concat(valids[FOUND - 1:], regular)

    @always_comb
    def events_of_heads():
        ends.next = valid_taken and last_taken
        collision.next = we and regular and addr == waddr

    return (value_gate_, sequencer_, cache, check_, asking, telling, step_delay, value_delay,
            head_strobes_, splitting, value_lanes, joining, ask, take, follow, events_of_heads)
