"""What sequences want beside their prompts: taken with a first token, kept until the last answer."""

from myhdl import always, always_comb

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.hdl.lanes import pack, pack_payload, unpack, unpack_payload
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.rtl.stream.connect import carry
from llama2_myhdl.rtl.stream.stream import Payload, bit, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.sampling import P_OFF, SHIFT_MAX, SHIFT_MIN
from llama2_myhdl.spec.stops import MORE_STOPS


class Wishes(Settings):
    """Of a sequence: `Settings`; stop_0 .. stop_3: stop tokens of its own, of which the first `stops` count;
    new_tokens: sampled ones at most, 0 for no limit."""

    def __init__(self, cfg: BuildConfig):
        super().__init__()
        own = {f"stop_{k}": uint(cfg.token_bits) for k in range(MORE_STOPS)}
        own |= dict(stops=uint(MORE_STOPS.bit_length()), new_tokens=uint(cfg.pos_bits + 1))
        Payload.__init__(self, **self.types(), **own)


@hblock
def wishes(clk, take, s, opens, opens_seq, entry, faulty, seq, new_tokens, token, answer_seq, halts, SLOTS, ENTRIES):
    """Ports: clk; take: the Wishes s of a prompt token are here, and looked at until the next ones; opens: those are of
    sequence opens_seq, which begins; entry: out, its Settings, and faulty: out, they are none that this build has, both
    beside `opens`. new_tokens: out, combinational, of sequence `seq`; halts: out, combinational, `token` is one of
    answer_seq's stop tokens. SLOTS sequences, 2 or more; ENTRIES of the sampler's list.
    """
    TOKEN_BITS = len(token)
    held = Payload(**s.types())
    arriving, register = uint(s.width), uint(s.width)
    stops = [uint(TOKEN_BITS) for _ in range(MORE_STOPS)]
    own = uint(MORE_STOPS * TOKEN_BITS + len(s.stops))
    halting = uint(len(own))
    count = uint(len(s.stops))
    kept_stops = [uint(len(own)) for _ in range(SLOTS)]
    kept_new = [uint(len(new_tokens)) for _ in range(SLOTS)]
    stop_0, stop_1, stop_2, stop_3 = stops

    packing = pack_payload(s, arriving)
    unpacking = unpack_payload(register, held)
    settings_ = carry(held, entry)
    pack_own = pack([held.stop_0, held.stop_1, held.stop_2, held.stop_3, held.stops], own)
    unpack_own = unpack(halting, [*stops, count])

    @always(clk.posedge)
    def hold():
        if take:
            register.next = arriving

    @always(clk.posedge)
    def keep():
        if opens:
            kept_stops[opens_seq].next = own
            kept_new[opens_seq].next = held.new_tokens

    @always_comb
    def judge():
        faulty.next = held.shift < SHIFT_MIN or held.shift > SHIFT_MAX or held.k > ENTRIES or held.p > P_OFF

    @always_comb
    def look_up():
        new_tokens.next = kept_new[seq]
        halting.next = kept_stops[answer_seq]

    @always_comb
    def compare():
        halts.next = (
            (count > 0 and token == stop_0)
            or (count > 1 and token == stop_1)
            or (count > 2 and token == stop_2)
            or (count > 3 and token == stop_3)
        )

    return packing, unpacking, settings_, pack_own, unpack_own, hold, keep, judge, look_up, compare


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build."""
    pins = {name: bit() for name in ("clk", "take", "opens", "faulty", "halts")}
    sequences = {name: uint(cfg.seq_bits) for name in ("opens_seq", "seq", "answer_seq")}
    numbers = dict(new_tokens=uint(cfg.pos_bits + 1), token=uint(cfg.token_bits))
    sizes = dict(SLOTS=max(2, cfg.sequences), ENTRIES=cfg.list_entries)
    return dict(**pins, s=Wishes(cfg), **sequences, entry=Settings(), **numbers, **sizes)
