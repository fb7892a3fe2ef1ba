"""Draws a token from logits that stream past, and says how likely it was."""
from myhdl import Signal, always, always_comb, concat, intbv, modbv

from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.hdl.lanes import pack, unpack
from llama2_myhdl.rtl.arith.delay import delay
from llama2_myhdl.rtl.layer.packet import vector
from llama2_myhdl.rtl.sampling import cost as costs
from llama2_myhdl.rtl.sampling import leading
from llama2_myhdl.rtl.sampling import ln_probability as logarithms
from llama2_myhdl.rtl.sampling import log_total as log_totals
from llama2_myhdl.rtl.sampling import mass as sums
from llama2_myhdl.rtl.sampling import nucleus as lists
from llama2_myhdl.rtl.sampling import shortlist as shortlists
from llama2_myhdl.rtl.sampling import threefry as numbers
from llama2_myhdl.rtl.sampling.cost import cost
from llama2_myhdl.rtl.sampling.ln_probability import ln_probability
from llama2_myhdl.rtl.sampling.log_total import LN_BITS, log_total
from llama2_myhdl.rtl.sampling.mass import DISTANCE_BITS, REFERENCE_BITS, mass
from llama2_myhdl.rtl.sampling.nucleus import nucleus
from llama2_myhdl.rtl.sampling.reservoir import reservoir
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.rtl.sampling.shortlist import shortlist
from llama2_myhdl.rtl.sampling.threefry import threefry
from llama2_myhdl.rtl.stream.stream import Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2
from llama2_myhdl.spec.formats import EXP2_FRAC, F_BITS
from llama2_myhdl.spec.sampling import COST_BITS, FLOOR_OFF, K_BITS, P_OFF, SUM_BITS, WORD_BITS


def latency(score: bool, listed: int) -> int:
    """Cycles from the last logit to m; listed: entries of the list that are walked, 0 if nothing is cut off."""
    walked = shortlists.LATENCY + shortlists.READ_LATENCY + listed - 1 if listed else 0
    chosen = costs.LATENCY + walked + lists.LATENCY
    if not score:
        return chosen + 1
    logarithm = costs.LATENCY + sums.LATENCY + leading.LATENCY + log_totals.LATENCY
    return max(chosen + logarithms.LATENCY, logarithm + 2)


def draw_stream(cfg: BuildConfig) -> Stream:
    """What is drawn: a token, its log-probability in F, and whether more than the list would have been kept."""
    return Stream(token=uint(cfg.token_bits), logprob=sint(F_BITS), beyond=bit())


@hblock
def sampler(clk, rst, start, settings, position, given, target, s, m, ENTRIES):
    """One pass over the logits of a vocabulary, and one over the list of the most likely where that is cut from.

    Ports: clk, rst; start: a pulse ahead of the first logit, from the cycle after it on settings (Settings), position,
    given and target stand still until m is taken. s: Stream(data=F, last): the logits; m: `draw_stream`, one a
    vocabulary. given: nothing is drawn, the log-probability is that of `target`, 0 if the vocabulary has no such token,
    and m's token of no account; else that of the token drawn, or if greedy of the most likely one. Without `logprobs`
    the log-probability is 0, and where nothing is drawn either s is swallowed and m stays silent.

        x ─> cost ─┬───────────────────────┬─> mass ─> reservoir ─> token, cost ─┬─> token
                   └─> shortlist ──────────┘    │          └────> nucleus ───────┘
                                                └─> log of the total ──> - ─> logprob
        position, seed ─> threefry ─> reservoir

    A logit a cycle; `latency` cycles from the last logit to m. Four multipliers: two for the cost, one each for the
    weight times p and for the total times a random number.
    """
    TOKEN_BITS = len(m.token)
    COST, CHOOSING = costs.LATENCY, lists.CHOOSING
    NEW, CHOSEN = COST - 1, CHOOSING - 1  # of costs that have come, and of those that have been considered
    PRIMING = numbers.SET_UP + numbers.LATENCY + 2
    # bits of `passed`: total and share are those of the whole vocabulary, and the total's leading one is known
    SHARED, FOUND = sums.SHARE_LATENCY, sums.LATENCY + leading.LATENCY
    FINISH = logarithms.LATENCY - 1
    FILL = numbers.LATENCY
    COUNT_BITS = clog2(ENTRIES)
    INDEX_BITS = max(TOKEN_BITS, COUNT_BITS)
    MOST = ENTRIES - 1

    # what is to be done
    active, drawing, listing, by_rank = [bit() for _ in range(4)]
    priming = uint(PRIMING.bit_length())
    where = uint(WORD_BITS)
    # logits, and their costs
    masked, u = sint(F_BITS), sint(COST_BITS)
    index = Signal(modbv(0)[TOKEN_BITS:])
    index_in, index_out, token_in = [uint(TOKEN_BITS) for _ in range(3)]
    takes, lasts = uint(COST), uint(COST)  # bit k: k + 1 cycles ago
    passed = uint(FOUND)  # bit k: the vocabulary's last cost, k + 1 cycles ago
    take, unseen, enters = bit(), bit(), bit()
    # the walk over the list
    show, shows, walking, walk_first, longer = [bit() for _ in range(5)]  # shows: `show`, a cycle ago
    most, left = uint(COUNT_BITS), uint(COUNT_BITS)  # entries to be walked, but one
    entry_u, entry_token = sint(COST_BITS), uint(TOKEN_BITS)
    # a cost on its way into the sums, and its label on the way to the choice
    valid_in, first_in, last_in = bit(), bit(), bit()
    u_in, u_out = sint(COST_BITS), sint(COST_BITS)
    token_out = uint(TOKEN_BITS)
    label, label_out = uint(COST_BITS + TOKEN_BITS), uint(COST_BITS + TOKEN_BITS)
    valids, firsts, ends = [uint(CHOOSING) for _ in range(3)]  # bit k: k + 1 cycles ago
    mantissa, distance, counts = uint(EXP2_FRAC + 1), uint(DISTANCE_BITS), bit()
    total, share, whole_share = uint(SUM_BITS), uint(SUM_BITS), uint(SUM_BITS)
    whole, zeros = uint(SUM_BITS), uint(leading.ZERO_BITS)
    origin = sint(REFERENCE_BITS)
    # the choice
    item = Signal(modbv(0)[WORD_BITS:])
    x0, x1 = uint(WORD_BITS), uint(WORD_BITS)
    move, accept, replaces, settled, more = [bit() for _ in range(5)]
    choice, kept, chosen, selected = [uint(COST_BITS + TOKEN_BITS) for _ in range(4)]
    kept_u, final_u = sint(COST_BITS), sint(COST_BITS)
    kept_token, final_token = uint(TOKEN_BITS), uint(TOKEN_BITS)
    # its log-probability
    log, log_start, log_done, log_there, summed = sint(LN_BITS), bit(), bit(), bit(), bit()
    ln, unknown = sint(F_BITS), bit()  # no token was the target
    ending = uint(FINISH)  # bit k: `settled`, k + 1 cycles ago

    cost_ = cost(clk=clk, x=masked, scale=settings.scale, shift=settings.shift, u=u)
    index_delay = delay(clk, index_in, index_out, CYCLES=COST)
    shortlist_ = shortlist(clk=clk, clear=start, take=enters, u=u, token=index_out, show=show, entry_u=entry_u,
                           entry_token=entry_token, ENTRIES=ENTRIES)
    mass_ = mass(clk=clk, rst=rst, valid=valid_in, first=first_in, fixed=walking, u=u_in, p=settings.p,
                 mantissa=mantissa, distance=distance, counts=counts, total=total, share=share, origin=origin)
    threefry_ = threefry(clk=clk, move=move, key=settings.seed, position=where, item=item, x0=x0, x1=x1)
    reservoir_ = reservoir(clk=clk, total=total, mantissa=mantissa, distance=distance, x0=x0, x1=x1, whole=whole,
                           zeros=zeros, accept=accept)
    nucleus_ = nucleus(clk=clk, valid=walking, first=walk_first, u=entry_u, total=total, share=share,
                       target=whole_share, by_rank=by_rank, p=settings.p, floor=settings.floor, choice=choice,
                       chosen=chosen, beyond=more, ENTRIES=ENTRIES)
    log_total_ = log_total(clk=clk, rst=rst, start=log_start, whole=whole, zeros=zeros, y=log, done=log_done)
    ln_probability_ = ln_probability(clk=clk, u=final_u, origin=origin, log=log, y=ln)
    packing = pack([u_in, token_in], label)
    label_delay = delay(clk, label, label_out, CYCLES=CHOOSING)
    unpacking = unpack(label_out, [u_out, token_out])
    unpack_kept = unpack(kept, [kept_u, kept_token])
    unpack_final = unpack(selected, [final_u, final_token])
    unused(kept_token)

    @always(clk.posedge)
    def plan():
        active.next = settings.logprobs or not (settings.greedy or given)
        drawing.next = not (settings.greedy or given)
        listing.next = not (settings.greedy or given) and (
            settings.k != 0 or settings.p != P_OFF or settings.floor != FLOOR_OFF)
        by_rank.next = settings.k != 0
        where.next = position

    # random numbers wait ahead of the costs, which may then come at any pace
    @always(clk.posedge)
    def prime():
        if rst or start:
            s.ready.next = False
            priming.next = PRIMING
        elif priming != 0:
            priming.next = priming - 1
            s.ready.next = priming == 1
        elif take and s.last and active:
            s.ready.next = False
        if start:
            item.next = 0
        elif move:
            item.next = item + 1

    @always_comb
    def advance():
        move.next = drawing and (counts or (priming != 0 and priming <= FILL))

    @always_comb
    def accept_logit():
        take.next = s.valid and s.ready

    @always_comb
    def mask():
        index_in.next = index
        if active:
            masked.next = s.data
        else:
            masked.next = 0

    @always(clk.posedge)
    def follow():
        if rst:
            takes.next = 0
            lasts.next = 0
            passed.next = 0
            valids.next = 0
            ends.next = 0
        else:
            takes.next = concat(takes[NEW:], take and active)
            lasts.next = concat(lasts[NEW:], take and active and s.last)
            passed.next = concat(passed[FOUND - 1:], lasts[NEW])
            valids.next = concat(valids[CHOSEN:], valid_in)
            ends.next = concat(ends[CHOSEN:], last_in)
        firsts.next = concat(firsts[CHOSEN:], first_in)
        if start:
            index.next = 0
            unseen.next = True
        else:
            if take:
                index.next = index + 1
            if takes[NEW]:
                unseen.next = False

    @always_comb
    def enter():
        enters.next = takes[NEW] and listing
        valid_in.next = takes[NEW] or walking
        if walking:
            u_in.next = entry_u
            token_in.next = entry_token
            first_in.next = walk_first
            last_in.next = left == 0
        else:
            u_in.next = u
            token_in.next = index_out
            first_in.next = unseen
            last_in.next = lasts[NEW] and not listing

    @always(clk.posedge)
    def walk():
        limit = intbv(0)[INDEX_BITS:]
        rank = intbv(0)[K_BITS:]
        limit[:] = MOST
        rank[:] = settings.k
        if rank != 0 and rank <= MOST:
            rank[:] = rank - 1
            limit[:] = rank[COUNT_BITS:]
        if index_out < limit:
            limit[:] = index_out
        if lasts[NEW]:
            most.next = limit[COUNT_BITS:]
            longer.next = index_out > MOST
        if rst:
            show.next = False
            shows.next = False
            walking.next = False
        else:
            show.next = lasts[NEW] and listing
            shows.next = show
            if shows:
                walking.next = True
            elif left == 0:
                walking.next = False
        walk_first.next = shows
        if shows:
            left.next = most
        elif walking and left != 0:
            left.next = left - 1
        if passed[SHARED - 1]:
            whole_share.next = share

    @always_comb
    def judge():
        if given:
            replaces.next = firsts[CHOSEN] or token_out == target
        elif settings.greedy:
            replaces.next = firsts[CHOSEN] or u_out < kept_u
        else:
            replaces.next = accept

    @always_comb
    def choose():
        if replaces:
            choice.next = label_out
        else:
            choice.next = kept

    @always_comb
    def conclude():
        log_start.next = passed[FOUND - 1] and settings.logprobs
        if listing:
            selected.next = chosen
        else:
            selected.next = kept

    @always_comb
    def tell():
        if unknown or not settings.logprobs:
            m.logprob.next = 0
        else:
            m.logprob.next = ln

    @always(clk.posedge)
    def keep():
        if valids[CHOSEN]:
            kept.next = choice
            if token_out == target or not given:
                unknown.next = False
            elif firsts[CHOSEN]:
                unknown.next = True
        if settled:
            m.token.next = final_token
            m.beyond.next = listing and longer and more

    @always(clk.posedge)
    def finish():
        settled.next = ends[CHOSEN] and not rst
        ending.next = concat(ending[FINISH - 1:], settled)
        if rst or start or (m.valid and m.ready):
            ending.next = 0
            log_there.next = False
            summed.next = False
            m.valid.next = False
        else:
            if log_done:
                log_there.next = True
            if ending[FINISH - 1]:
                summed.next = True
            if settled and not settings.logprobs:
                m.valid.next = True
            elif (ending[FINISH - 1] or summed) and log_there:
                m.valid.next = True

    return (cost_, index_delay, shortlist_, mass_, threefry_, reservoir_, nucleus_, log_total_, ln_probability_,
            packing, label_delay, unpacking, unpack_kept, unpack_final, plan, prime, advance, accept_logit, mask,
            follow, enter, walk, judge, choose, conclude, tell, keep, finish)


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `sampler(**ports(cfg))`."""
    pins = {name: bit() for name in ("clk", "rst", "start", "given")}
    label = dict(position=uint(cfg.pos_bits), target=uint(cfg.token_bits))
    return dict(**pins, settings=Settings(), **label, s=vector(cfg), m=draw_stream(cfg), ENTRIES=cfg.list_entries)
