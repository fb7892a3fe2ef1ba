"""How many entries of the list are kept, and which of them was drawn from among so many."""
from myhdl import Signal, always, always_comb, concat, intbv, modbv

from llama2_myhdl.hdl.hierarchy import hblock, tied
from llama2_myhdl.rtl.memory.ram import ram
from llama2_myhdl.rtl.sampling import mass as sums
from llama2_myhdl.rtl.sampling import reservoir as drawing
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import clog2
from llama2_myhdl.spec.sampling import COST_BITS, FLOOR_BITS, FLOOR_OFF, P_BITS, P_OFF, SUM_BITS

CHOOSING = sums.LATENCY + drawing.LATENCY  # cycles from a cost to the choice that has considered it
LATENCY = CHOOSING + 1  # cycles from the last cost to `chosen`


@hblock
def nucleus(clk, valid, first, u, total, share, target, by_rank, p, floor, choice, chosen, beyond, ENTRIES):
    """chosen = what was chosen of the first m entries, m as golden.fixed.sampler has it for top-p and min-p.

    Ports: clk; valid, first, u sint(COST_BITS): the list's costs in their order, one a cycle, at most ENTRIES; total,
    share: `mass` of them, with its latencies; choice unsigned: CHOOSING cycles after a cost, what is chosen of all up
    to it. by_rank: top-p counts from `share`, else from target uint(SUM_BITS), the vocabulary's; p uint(P_BITS), floor
    uint(FLOOR_BITS): as in the settings; these four stand still. chosen: combinational, LATENCY cycles after the last
    cost; beyond: with it, all entries are kept, and not because of their number.

    The nucleus ends at the first total that is not below p times that of all. Its place is followed while the entries
    come: weights never rise and p is at most 1, so it moves on by one entry at most for each that comes.

        total ─> totals ─> the one at the place, < share or target? ─> next place
        u ─> - first one ─> <= floor? ─> last entry inside ──────────────┴─> smaller one ─> choices ─> chosen
    """
    PLACE_BITS = clog2(ENTRIES)
    SUMMED, SHARED, CHOSEN = sums.LATENCY - 1, sums.SHARE_LATENCY - 1, CHOOSING - 1  # bits of `valids`
    valids, firsts = uint(CHOOSING), uint(CHOOSING)  # bit k: k + 1 cycles ago
    # the nucleus ends with this entry; the last one that `floor` leaves; the smaller one of them
    place, last_inside, closing_place, following = [Signal(modbv(0)[PLACE_BITS:]) for _ in range(4)]
    sum_place, total_place, draw_place, choice_place, write_place = [Signal(modbv(0)[PLACE_BITS:]) for _ in range(5)]
    base, above = sint(COST_BITS), uint(COST_BITS + 1)
    near, all_inside, short = bit(), bit(), bit()
    summed, drawn, goes_on = [bit() for _ in range(3)]
    writes, passes, passed = [bit() for _ in range(3)]
    held, wanted = uint(SUM_BITS), uint(SUM_BITS)
    kept, passing, former = [uint(len(choice)) for _ in range(3)]

    totals = ram(clk, we=summed, waddr=sum_place, wdata=total, load=goes_on, raddr=following, rdata=held,
                 DEPTH=ENTRIES, STYLE="distributed")
    choices = ram(clk, we=writes, waddr=write_place, wdata=passing, load=tied(bit(True)), raddr=closing_place,
                  rdata=kept, DEPTH=ENTRIES, STYLE="distributed")

    @always(clk.posedge)
    def travel():
        valids.next = concat(valids[CHOSEN:], valid)
        firsts.next = concat(firsts[CHOSEN:], first)

    @always(clk.posedge)
    def measure():
        height = intbv(0, min=-(1 << COST_BITS), max=1 << COST_BITS)
        height[:] = u
        height[:] = height - base
        if first:
            height[:] = 0
        if valid and first:
            base.next = u
        above.next = height[COST_BITS + 1:]
        near.next = above <= floor or floor == FLOOR_OFF

    @always(clk.posedge)
    def count_inside():
        if valids[1]:
            all_inside.next = near
            if firsts[1]:
                last_inside.next = 0
            elif near:
                last_inside.next = last_inside + 1

    @always_comb
    def address():
        if firsts[SUMMED]:
            sum_place.next = 0
        else:
            sum_place.next = total_place
        if firsts[CHOSEN]:
            draw_place.next = 0
        else:
            draw_place.next = choice_place
        summed.next = valids[SUMMED]
        drawn.next = valids[CHOSEN]

    @always(clk.posedge)
    def store():
        if summed:
            total_place.next = sum_place + 1
        if drawn:
            choice_place.next = draw_place + 1
        # a choice comes late in its cycle and is written in the next one; it may be wanted before it can be read
        writes.next = drawn
        write_place.next = draw_place
        passing.next = choice
        former.next = passing
        passes.next = drawn and draw_place == closing_place
        passed.next = writes and write_place == closing_place

    @always_comb
    def look():
        if by_rank:
            wanted.next = share
        else:
            wanted.next = target
        if firsts[SHARED]:
            following.next = 0
        else:
            following.next = place + 1

    @always_comb
    def compare():
        goes_on.next = valids[SHARED] and (firsts[SHARED] or held < wanted)

    @always(clk.posedge)
    def follow():
        if goes_on:
            place.next = following

    @always(clk.posedge)
    def close():
        short.next = held < wanted
        if p < P_OFF and place < last_inside:
            closing_place.next = place
        else:
            closing_place.next = last_inside

    @always_comb
    def answer():
        if passes:
            chosen.next = passing
        elif passed:
            chosen.next = former
        else:
            chosen.next = kept
        beyond.next = all_inside and not by_rank and (p == P_OFF or short)

    return (totals, choices, travel, measure, count_inside, address, store, look, compare, follow, close, answer)


def ports(choice_bits: int, ENTRIES: int) -> dict:
    """Fresh ports and parameters for choices of so many bits."""
    pins = {name: bit() for name in ("clk", "valid", "first", "by_rank", "beyond")}
    sums_ = {name: uint(SUM_BITS) for name in ("total", "share", "target")}
    settings = dict(p=uint(P_BITS), floor=uint(FLOOR_BITS))
    choice = dict(choice=uint(choice_bits), chosen=uint(choice_bits))
    return dict(**pins, u=sint(COST_BITS), **sums_, **settings, **choice, ENTRIES=ENTRIES)
