"""The decode loop in hardware: each sequence's prompt first, then its own tokens, until something ends it."""

from copy import copy

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.check import check
from llama2_myhdl.hdl.hierarchy import hblock, unused
from llama2_myhdl.rtl.boot.loader import ShapeRegisters
from llama2_myhdl.rtl.decode import pick as picking
from llama2_myhdl.rtl.decode.orders import Order, in_flight, orders
from llama2_myhdl.rtl.decode.pick import again_stream, draws, input_stream, pick
from llama2_myhdl.rtl.decode.wishes import Wishes, wishes
from llama2_myhdl.rtl.layer.packet import label, prediction, token_request
from llama2_myhdl.rtl.sampling.settings import Settings
from llama2_myhdl.rtl.stream import fifo as storage
from llama2_myhdl.rtl.stream.fifo import fifo
from llama2_myhdl.rtl.stream.stream import Payload, Stream, bit, sint, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.errors import BAD_SETTINGS, BAD_TOKEN, ERROR_BITS, NONE, TOO_LONG
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.stops import GOES_ON, STOP_BITS, STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN

OWN_FIELDS = ("token", "seq", "steps", "score", "last", "target")  # of a prompt stream, beside `Wishes`
REGISTERS = ("vocab_size", "seq_len", "stop_a", "stop_b")  # of the shape
PROMPT_LATENCY = picking.LATENCY + 2  # cycles from a prompt token to its request
LATENCY = storage.LATENCY + picking.LATENCY + 1  # from a prediction to the request of its token
TOKEN_LATENCY = 1  # from a prediction to its beat on m_token


def prompt_stream(build: BuildConfig) -> Stream:
    """Prompt tokens, those of different sequences in any order.

    steps: positions to run at most, 0 for the whole context; taken with a sequence's first token. score: a prediction
    is wanted for this position too, although the prompt goes on. last: the prompt's end. In builds with a sampler also
    target: the prompt's next token, if this is not its last, and `Wishes`, taken with a sequence's first token.
    """
    more = dict(target=uint(build.token_bits), **Wishes(build).types()) if build.list_entries else {}
    return Stream(
        token=uint(build.token_bits),
        seq=uint(build.seq_bits),
        steps=uint(build.pos_bits + 1),
        score=bit(),
        last=bit(),
        **more,
    )


def token_stream(build: BuildConfig) -> Stream:
    """One beat a position, those of a sequence in order.

    token: the most likely next token if `scored`, or the one drawn, else 0. sampled: it is the sequence's next input,
    unless it stops. stop: why the sequence ends here, else GOES_ON; last: it ends here. In builds with a sampler also
    logprob: natural logarithm (F) of the probability of the sampled token, or of the prompt's next one, if wanted.
    """
    more = dict(logprob=sint(F_BITS)) if build.list_entries else {}
    return Stream(
        token=uint(build.token_bits), **label(build), sampled=bit(), stop=uint(STOP_BITS), last=bit(), **more
    )


@hblock
def decode_loop(
    clk,
    rst,
    enable,
    clear,
    s_prompt,
    m_request,
    s_prediction,
    m_token,
    vocab_size,
    seq_len,
    stop_a,
    stop_b,
    error,
    order=None,
    SEQUENCES=1,
    ENTRIES=0,
    DEPTH=1,
):
    """Runs SEQUENCES sequences side by side, each in the slot of its number.

        s_prompt ─> pick ─> position ─> m_request ─> (layers) ─> s_prediction ─> stop? ─> m_token
                      └──────────────── fifo <── sampled ─────────────────────────┘

    enable: in, a model is loaded; clear: in, resets `error`. s_prompt, m_token: see the functions above.
    m_request: `token_request`; s_prediction: `prediction`, one for each request, those of a sequence in order.
    order: out, Order of the oldest request without an answer, see `orders`, of whose requests DEPTH are under way at
    most; ENTRIES: of the sampler's list, 0: there is none, and order and what belongs to it are of no account.
    vocab_size, seq_len, stop_a, stop_b: shape registers. error: out, sticky code of `spec/errors.py`.

    Prompt tokens are requested one after the other, a sampled one when its prediction is there, and none beyond a
    sequence's end. A token outside the vocabulary passes as an unscored 0, so that its STOP_ERROR comes in turn, with
    the offending token on the beat; so do settings out of their limits. A prompt beyond the context ends in STOP_ERROR
    too. What is left of a prompt when its sequence has ended is swallowed. Latencies as above; a request a cycle, of
    prompts every other cycle. Back-pressure of m_token stops all sequences.
    """
    SLOTS = max(2, SEQUENCES)
    if not 1 <= SEQUENCES <= 1 << len(s_prompt.seq):
        raise ValueError(f"decode_loop: SEQUENCES is 1 to {1 << len(s_prompt.seq)} here, not {SEQUENCES}")
    POS_BITS = len(m_request.pos)
    LIMIT_BITS = len(s_prompt.steps)
    TOKEN_BITS = len(s_prompt.token)

    # of each slot: the newest request's position, its token if it was a bad one, and what its answer will say
    newest = [Signal(modbv(0)[POS_BITS:]) for _ in range(SLOTS)]
    offender = [uint(TOKEN_BITS) for _ in range(SLOTS)]
    fate = [uint(STOP_BITS) for _ in range(SLOTS)]
    bad, misset, sampling = [[bit() for _ in range(SLOTS)] for _ in range(3)]
    limits = [Signal(modbv(0)[LIMIT_BITS:]) for _ in range(SLOTS)]  # last position that `steps` allows
    expected = [Signal(modbv(0)[POS_BITS:]) for _ in range(SLOTS)]  # position of the next answer

    again, waiting, x = again_stream(s_prompt), again_stream(s_prompt), input_stream(s_prompt)
    pos, context_end = [Signal(modbv(0)[POS_BITS:]) for _ in range(2)]
    limit = Signal(modbv(0)[LIMIT_BITS:])
    outcome, stop = uint(STOP_BITS), uint(STOP_BITS)
    asks, takes, ends = bit(), bit(), bit()
    current, sampled, offends = bit(), bit(), bit()  # the answer at hand: to the newest request, ...
    overtaken, overflow = bit(), bit()
    opens, opens_seq, faulty = bit(), uint(len(s_prompt.seq)), bit()
    arrives, given, ill = bit(), bit(), bit()
    halts, allowed = bit(), Signal(modbv(0)[LIMIT_BITS:])  # a stop token of the sequence's own; its last position

    fifo_ = fifo(clk, rst, again, waiting, DEPTH=SLOTS)
    asking = copy(s_prompt)
    for name in set(s_prompt.payload) - {*OWN_FIELDS}:
        delattr(asking, name)
    pick_ = pick(clk=clk, rst=rst, enable=enable, s_prompt=asking, s_again=waiting, ended=ends,
                 ended_seq=s_prediction.seq, m=x, opens=opens, opens_seq=opens_seq, faulty=faulty,
                 vocab_size=vocab_size, SLOTS=SLOTS)
    order_check = check(clk, rst, overtaken, MESSAGE="a packet has overtaken another one of its sequence")
    room_check = check(clk, rst, overflow, MESSAGE="more tokens on their way back than sequences")

    # --- requests ---

    @always_comb
    def enter():
        x.ready.next = m_request.ready or not m_request.valid
        # what follows the end of a sequence is dropped
        asks.next = x.valid and (m_request.ready or not m_request.valid) and (x.first or fate[x.seq] == GOES_ON)

    @always_comb
    def place():
        if x.first:
            pos.next = 0
            limit.next = x.limit
        else:
            pos.next = newest[x.seq] + 1
            limit.next = limits[x.seq]

    @always_comb
    def foresee():
        if x.bad:
            outcome.next = STOP_ERROR
        elif pos == allowed:
            outcome.next = STOP_STEPS
        elif pos == context_end:
            if x.last:
                outcome.next = STOP_CONTEXT
            else:
                outcome.next = STOP_ERROR
        else:
            outcome.next = GOES_ON

    @always(clk.posedge)
    def remember():
        context_end.next = seq_len - 1
        if asks:
            newest[x.seq].next = pos
            limits[x.seq].next = allowed
            offender[x.seq].next = x.token
            fate[x.seq].next = outcome
            bad[x.seq].next = x.bad
            sampling[x.seq].next = x.last and not x.bad

    @always(clk.posedge)
    def request():
        if asks:
            if x.bad:
                m_request.token.next = 0
            else:
                m_request.token.next = x.token
            m_request.seq.next = x.seq
            m_request.pos.next = pos
            m_request.scored.next = x.scored and not x.bad

    # --- answers ---

    @always_comb
    def accept():
        s_prediction.ready.next = m_token.ready or not m_token.valid
        takes.next = s_prediction.valid and (m_token.ready or not m_token.valid)

    @always_comb
    def recognise():
        current.next = s_prediction.pos == newest[s_prediction.seq]
        sampled.next = s_prediction.pos == newest[s_prediction.seq] and sampling[s_prediction.seq]
        offends.next = s_prediction.pos == newest[s_prediction.seq] and bad[s_prediction.seq]

    @always_comb
    def decide():
        if sampled and (halts or s_prediction.token == stop_a or s_prediction.token == stop_b):
            stop.next = STOP_TOKEN
        elif current:
            stop.next = fate[s_prediction.seq]
        else:
            stop.next = GOES_ON

    @always_comb
    def recirculate():
        ends.next = takes and stop != GOES_ON
        again.valid.next = takes and sampled and stop == GOES_ON
        again.token.next = s_prediction.token
        again.seq.next = s_prediction.seq

    @always(clk.posedge)
    def beat():
        if takes:
            m_token.token.next = 0
            if offends:
                m_token.token.next = offender[s_prediction.seq]
            elif s_prediction.scored:
                m_token.token.next = s_prediction.token
            m_token.seq.next = s_prediction.seq
            m_token.pos.next = s_prediction.pos
            m_token.scored.next = s_prediction.scored
            m_token.sampled.next = sampled
            m_token.stop.next = stop
            m_token.last.next = stop != GOES_ON

    @always(clk.posedge)
    def control():
        if rst:
            m_request.valid.next = False
            m_token.valid.next = False
            error.next = NONE
        else:
            if x.ready:
                m_request.valid.next = asks
            if s_prediction.ready:
                m_token.valid.next = takes
            if clear:
                error.next = NONE
            if takes and stop == STOP_ERROR:
                if offends and ill:
                    error.next = BAD_SETTINGS
                elif offends:
                    error.next = BAD_TOKEN
                else:
                    error.next = TOO_LONG

    @always(clk.posedge)
    def follow_order():
        # not in reset, whose first edge sees registers that nothing has set
        overflow.next = again.valid and not again.ready and not rst
        overtaken.next = takes and s_prediction.pos != expected[s_prediction.seq] and not rst
        if rst:
            for k in range(SLOTS):
                expected[k].next = 0
        elif takes:
            expected[s_prediction.seq].next = s_prediction.pos + 1
            if stop != GOES_ON:
                expected[s_prediction.seq].next = 0

    # --- what a sequence wants beside its prompt ---

    if draws(s_prompt):
        wished = Payload(**{name: getattr(s_prompt, name) for name in s_prompt.payload if name not in OWN_FIELDS})
        entry, new_tokens = Settings(), uint(LIMIT_BITS)
        wishes_ = wishes(clk=clk, take=arrives, s=wished, opens=opens, opens_seq=opens_seq, entry=entry, faulty=faulty,
                         seq=x.seq, new_tokens=new_tokens, token=s_prediction.token, answer_seq=s_prediction.seq,
                         halts=halts, SLOTS=SLOTS, ENTRIES=ENTRIES)
        orders_ = orders(clk=clk, rst=rst, write=opens, write_seq=opens_seq, entry=entry, push=asks, seq=x.seq,
                         given=given, target=x.target, pop=takes, m=order, SLOTS=SLOTS, DEPTH=DEPTH)

        @always_comb
        def take():
            arrives.next = s_prompt.valid and s_prompt.ready
            given.next = not x.last
            ill.next = misset[s_prediction.seq]

        @always_comb
        def limit_new():
            furthest = modbv(0)[LIMIT_BITS + 1:]
            furthest[:] = pos + new_tokens
            furthest[:] = furthest - 1
            allowed.next = limit
            if x.prompted and x.last and new_tokens != 0 and furthest < limit:
                allowed.next = furthest[LIMIT_BITS:]

        @always(clk.posedge)
        def remember_faults():
            if asks:
                misset[x.seq].next = x.faulty

        @always(clk.posedge)
        def beat_logprob():
            if takes:
                m_token.logprob.next = 0
                if s_prediction.scored and not offends:
                    m_token.logprob.next = s_prediction.logprob

        wanting = wishes_, orders_, take, limit_new, remember_faults, beat_logprob
    else:
        @always_comb
        def want_nothing():
            allowed.next = limit
            halts.next = False
            faulty.next = False
            ill.next = False

        unused(opens, opens_seq)
        wanting = want_nothing

    return (
        fifo_,
        pick_,
        order_check,
        room_check,
        enter,
        place,
        foresee,
        remember,
        request,
        accept,
        recognise,
        decide,
        recirculate,
        beat,
        control,
        follow_order,
        wanting,
    )


def ports(cfg: BuildConfig) -> dict:
    """Fresh ports and parameters for a build: `decode_loop(**ports(cfg))`."""
    shape = ShapeRegisters(cfg)
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        clear=bit(),
        s_prompt=prompt_stream(cfg),
        m_request=token_request(cfg),
        s_prediction=prediction(cfg),
        m_token=token_stream(cfg),
        **(dict(order=Order(cfg)) if cfg.list_entries else {}),
        **shape.named(REGISTERS),
        error=uint(ERROR_BITS),
        SEQUENCES=cfg.sequences,
        ENTRIES=cfg.list_entries,
        DEPTH=in_flight(cfg),
    )
