"""The side of an attention unit that reads values: numerators, divided by the denominators."""
from myhdl import always, always_comb, concat

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.attention import divide as division
from llama2_myhdl.rtl.attention import numerator as summing
from llama2_myhdl.rtl.attention import pair_queue as output
from llama2_myhdl.rtl.attention import row_ram as cache
from llama2_myhdl.rtl.attention.head_strobes import head_strobes
from llama2_myhdl.rtl.attention.row_ram import row_ram, rows
from llama2_myhdl.rtl.attention.sequencer import sequencer
from llama2_myhdl.rtl.attention.value_gate import value_gate
from llama2_myhdl.rtl.attention.value_lane import value_lane
from llama2_myhdl.rtl.stream.stream import bit, uint

_DIVIDED = summing.LATENCY + division.LATENCY + output.LATENCY
LATENCY = cache.LATENCY + _DIVIDED  # cycles from the last step of a pass to its first pair
VALUE_LATENCY = _DIVIDED  # the same from the value row that the last step waits for


@hblock
def value_side(clk, rst, s_pass, s_step, den_load, den, scale_den, we, row, exponent, base, pos, head_dim, m, clips,
               CFG):
    """Weighs the value rows of pass after pass with what the key side found, and divides.

    Ports: clk, rst; s_pass, s_step, den_load, den, scale_den: from `key_side`; we: write `row`, `exponent` into the
    cache at {base, pos}; m: Series of `packet.pairs`, a stream for each query; clips uint(2 * queries): an element was
    clipped.
    A pass takes max(pos + 1, head_dim / 2) cycles; its step t = pos waits for the value row of the token, which may
    jump the cache.

        s_step ─> gate ─> exponents ─> numerator of each query ─> divide ─> queue
                    └─> delay ─> values ────┘
    """
    QUERIES = len(s_pass.lanes)
    STEP, DEN, SCALE = len(s_step.data) // QUERIES, len(den) // QUERIES, len(scale_den) // QUERIES
    ADDRESS = len(base) + len(pos)
    KV_HEADS = rows(CFG) // (CFG.max_layers * CFG.sequences * CFG.max_seq)
    READ = summing.VALUES - cache.LATENCY  # stage of the value's address

    waiting, first, at_last, permit, moving, regular, jump, step = [bit() for _ in range(8)]
    addr, waddr, addr0, addr1, addr_taken, value_addr = [uint(ADDRESS) for _ in range(6)]
    ve_read, ve = uint(len(exponent)), uint(len(exponent))
    v = uint(len(row))
    data0, data1, taken = [uint(len(s_step.data)) for _ in range(3)]
    lanes0, lanes1, lanes_taken = [uint(QUERIES) for _ in range(3)]
    valid0, valid1, first0, first1, last0, last1 = [bit() for _ in range(6)]
    valid_taken, first_taken, last_taken, ends, reading, exponent_collides, value_collides = [bit() for _ in range(7)]
    valids = uint(READ)  # bit k: k + 1 cycles after it was taken
    num_load = uint(QUERIES)
    steps, dens, scales = [[uint(w) for _ in range(QUERIES)] for w in (STEP, DEN, SCALE)]
    den_loads, num_loads = [bit() for _ in range(QUERIES)], [bit() for _ in range(QUERIES)]
    events = [uint(2) for _ in range(QUERIES)]

    value_gate_ = value_gate(clk=clk, rst=rst, waiting=waiting, last=at_last, ends=s_pass.last, arrives=we,
                             head_dim=head_dim, permit=permit, step=regular, jump=jump, INTERVAL=division.INTERVAL,
                             HEADS=KV_HEADS)
    sequencer_ = sequencer(clk=clk, rst=rst, waiting=s_pass.valid, base=s_pass.base, taken=s_pass.ready, permit=moving,
                           pos=pos, addr=addr, step=step, first=first, last=at_last)
    exponent_row_ram = row_ram(clk, we, waddr, exponent, addr, ve_read, CFG=CFG)
    value_row_ram = row_ram(clk, we, waddr, row, value_addr, v, CFG=CFG)
    exponent_check = check(clk, rst, exponent_collides, MESSAGE="a value exponent is read while it is written")
    value_check = check(clk, rst, value_collides, MESSAGE="a value row is read while it is written")
    delay_ = delay(clk, addr_taken, value_addr, CYCLES=READ)
    head_strobes_ = head_strobes(clk, rst, ends, lanes_taken, num_load, CYCLES=summing.LATENCY)
    splitting = (unpack(taken, steps), unpack(den, dens), unpack(scale_den, scales), unpack(den_load, den_loads),
                 unpack(num_load, num_loads))
    value_lanes = [value_lane(clk=clk, rst=rst, valid=valid_taken, first=first_taken, step=steps[g], ve=ve, v=v,
                              den_load=den_loads[g], den=dens[g], scale_den=scales[g], num_load=num_loads[g],
                              head_dim=head_dim, m=m[g], clips=events[g], CFG=CFG) for g in range(QUERIES)]
    unused(step)
    joining = pack(events, clips)

    @always_comb
    def accept():
        waiting.next = s_step.valid
        moving.next = s_step.valid and permit
        s_step.ready.next = permit
        waddr.next = concat(base, pos)

    @always(clk.posedge)
    def look_up():
        if rst:
            valid0.next = False
            valid1.next = False
        else:
            valid0.next = regular
            valid1.next = valid0
        first0.next = first
        first1.next = first0
        last0.next = at_last
        last1.next = last0
        addr0.next = addr
        addr1.next = addr0
        lanes0.next = s_pass.lanes
        lanes1.next = lanes0
        data0.next = s_step.data
        data1.next = data0

    @always_comb
    def take():
        if jump:
            first_taken.next = first
            last_taken.next = True
            addr_taken.next = addr
            lanes_taken.next = s_pass.lanes
            taken.next = s_step.data
            ve.next = exponent
        else:
            first_taken.next = first1
            last_taken.next = last1
            addr_taken.next = addr1
            lanes_taken.next = lanes1
            taken.next = data1
            ve.next = ve_read
        valid_taken.next = jump or valid1

    @always(clk.posedge)
    def follow():
        if rst:
            valids.next = 0
        else:
            valids.next = concat(valids[READ - 1:], valid_taken)

    @always_comb
    def stages():
        reading.next = valids[READ - 1]
        ends.next = valid_taken and last_taken

    @always_comb
    def collide():
        exponent_collides.next = we and regular and addr == waddr
        value_collides.next = we and reading and value_addr == waddr

    return (value_gate_, sequencer_, exponent_row_ram, value_row_ram, exponent_check, value_check, delay_,
            head_strobes_, splitting, value_lanes, joining, accept, look_up, take, follow, stages, collide)
