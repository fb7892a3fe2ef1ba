"""What each sequence wants of its tokens, and whose turn it is where they are chosen."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.sampling.settings import Settings, settings
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig

LATENCY = 2  # cycles from `pop` to the next order


class Order:
    """How the token of the packet at hand is to be chosen: settings of its sequence; given: it is not, as the prompt
    has `target` next."""

    def __init__(self, cfg: BuildConfig):
        self.settings, self.given, self.target = Settings(), bit(), uint(cfg.token_bits)


def in_flight(build: BuildConfig) -> int:
    """Requests without an answer at most: in the request's register, the embed station, and each station behind it."""
    return 8 + 4 * (build.engines + 1)


@hblock
def orders(clk, rst, write, write_seq, entry, push, seq, given, target, pop, m, SLOTS, DEPTH):
    """m: the Order of the oldest request that has no answer yet; packets are answered in the order of their requests.

    Ports: clk, rst; write: entry (Settings) becomes that of sequence write_seq, which has no request under way; push:
    a request of sequence seq, with given and target as in Order; pop: an answer. m stands still from LATENCY cycles
    after the answer before it, or two after its request, to its own. SLOTS sequences, 2 or more; DEPTH requests: more
    end a simulation.
    """
    asked, oldest = [Stream(seq=uint(len(seq)), given=bit(), target=uint(len(target))) for _ in range(2)]
    overflow, missing = bit(), bit()

    fifo_ = fifo(clk, rst, asked, oldest, DEPTH=DEPTH)
    settings_ = settings(clk, write, write_seq, entry, oldest.seq, m.settings, SLOTS=SLOTS)
    room_check = check(clk, rst, overflow, MESSAGE="orders: more requests under way than there is room for")
    order_check = check(clk, rst, missing, MESSAGE="orders: an answer without a request")

    @always_comb
    def ask():
        asked.valid.next = push
        asked.seq.next = seq
        asked.given.next = given
        asked.target.next = target
        oldest.ready.next = pop
        overflow.next = push and not asked.ready
        missing.next = pop and not oldest.valid

    @always(clk.posedge)
    def follow():
        m.given.next = oldest.given
        m.target.next = oldest.target

    return fifo_, settings_, room_check, order_check, ask, follow


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build."""
    pins = {name: bit() for name in ("clk", "rst", "write", "push", "given", "pop")}
    numbers = dict(write_seq=uint(cfg.seq_bits), seq=uint(cfg.seq_bits), target=uint(cfg.token_bits))
    return dict(**pins, **numbers, entry=Settings(), m=Order(cfg), SLOTS=max(2, cfg.sequences), DEPTH=in_flight(cfg))
