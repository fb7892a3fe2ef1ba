"""The residual vector x of the packet in the engine: loaded once, then added to."""

from myhdl import always, always_comb, intbv

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.layer.packet import delta_stream, vector
from llama2_myhdl.rtl.memory.ram import SMALL, ram
from llama2_myhdl.rtl.stream.stream import bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig, clog2

LATENCY = 1  # cycles from an element to its sum on m
PREFETCH = 2  # old elements that are read ahead: one at the output of the RAM, one in front of the adder


@hblock
def residual(clk, rst, s_x, s_add, m, saturated, CFG):
    """Keeps x in a RAM of max_dim F words.

    s_x: Stream(data=F, last): a new x of 4 elements or more, when no vector to add is left. s_add: Stream(data=F,
    emit, last): rows to add element by element, vectors as long as x, saturating to F.
    m: Stream(data=F, last): elements as stored, those of s_x and those of s_add that came with `emit`.
    saturated: out, an element was clipped.
    One element a cycle, LATENCY cycles to m; vectors to add follow each other without a gap, PREFETCH + 1 cycles after
    a new x. While an element of m waits, nothing moves.

        s_x ──────────────────────────────────┬─> m
        s_add ─> + ─> saturate ───────────────┤
        RAM ─> ahead ─> old ┘                 └─> RAM, a cycle later
    """
    F = CFG.f_bits
    ADDRESS_BITS = clog2(CFG.max_dim)
    LIMIT = 1 << F
    STYLE = "distributed" if CFG.max_dim <= SMALL else "auto"  # no wire to a far block RAM
    HIGHEST, LOWEST = (1 << (F - 1)) - 1, -(1 << (F - 1))

    loading, between = bit(), bit()  # a new x is under way; no vector is
    known = bit()  # there is an x
    ahead_count = uint(clog2(PREFETCH + 1))
    comes = bit()  # the element that waits is one of a new x
    move, primed, load, take, fetch, last = [bit() for _ in range(6)]
    index, final_index = uint(ADDRESS_BITS), uint(ADDRESS_BITS)  # of the element at the input; of x's last one
    fetched_at, written_at = uint(ADDRESS_BITS), uint(ADDRESS_BITS)
    ahead, store = uint(F), uint(F)
    old = sint(F)
    fresh, clipped, early, torn = bit(), bit(), bit(), bit()  # fresh: m's data came in this cycle

    ram_ = ram(
        clk,
        we=fresh,
        waddr=written_at,
        wdata=store,
        load=fetch,
        raddr=fetched_at,
        rdata=ahead,
        DEPTH=CFG.max_dim,
        STYLE=STYLE,
    )
    hazard_check = check(clk, rst, early, MESSAGE="residual: an element is read before it is written")
    length_check = check(clk, rst, torn, MESSAGE="residual: a vector is not as long as x")

    @always_comb
    def accept():
        move.next = m.ready or not m.valid
        primed.next = known and ahead_count == PREFETCH
        s_x.ready.next = (m.ready or not m.valid) and (loading or between)
        s_add.ready.next = (
            (m.ready or not m.valid)
            and known
            and ahead_count == PREFETCH
            and not loading
            and not (between and s_x.valid)
        )

    @always_comb
    def enter():
        comes.next = s_x.valid and (loading or between)
        load.next = s_x.valid and move and (loading or between)
        take.next = s_add.valid and move and primed and not loading and not (between and s_x.valid)

    @always_comb
    def choose():
        last.next = s_add.last
        if comes:
            last.next = s_x.last
        fetch.next = take or (known and ahead_count != PREFETCH)
        store.next = m.data[F:]
        saturated.next = fresh and clipped
        torn.next = take and s_add.last != (index == final_index)
        early.next = fetch and ((fresh and written_at == fetched_at) or (take and index == fetched_at))

    @always(clk.posedge)
    def add():
        total = intbv(0, min=-LIMIT, max=LIMIT)
        total[:] = old + s_add.data
        if load or take:
            m.last.next = last
            clipped.next = not comes and total[F] != total[F - 1]
            # chosen by what waits, not by whether it moves: that is known late
            if comes:
                m.data.next = s_x.data
            elif total[F] == total[F - 1]:
                m.data.next = total[F:].signed()
            elif total[F]:
                m.data.next = LOWEST
            else:
                m.data.next = HIGHEST
        written_at.next = index

    @always(clk.posedge)
    def flow():
        if rst:
            m.valid.next = False
            fresh.next = False
        else:
            fresh.next = load or take
            if move:
                m.valid.next = load or (take and s_add.emit)

    @always(clk.posedge)
    def count():
        if rst:
            loading.next = False
            between.next = True
            known.next = False
            index.next = 0
        elif load or take:
            between.next = last
            if last:
                index.next = 0
            else:
                index.next = index + 1
            if load:
                loading.next = not s_x.last
                known.next = s_x.last
                final_index.next = index

    # addresses are sequential: what the next elements need is read before they come
    @always(clk.posedge)
    def read_ahead():
        if load:
            ahead_count.next = 0
            fetched_at.next = 0
        elif fetch:
            if not primed:
                ahead_count.next = ahead_count + 1
            if fetched_at == final_index:
                fetched_at.next = 0
            else:
                fetched_at.next = fetched_at + 1
        if fetch:
            old.next = ahead.signed()

    return ram_, hazard_check, length_check, accept, enter, choose, add, flow, count, read_ahead


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `residual(**ports(cfg))`."""
    streams = dict(s_x=vector(cfg), s_add=delta_stream(cfg), m=vector(cfg))
    return dict(clk=bit(), rst=bit(), **streams, saturated=bit(), CFG=cfg)
