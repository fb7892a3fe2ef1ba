"""Chooses what is requested next: a token of a prompt, or one that the decoder has sampled."""

from myhdl import Signal, always, always_comb, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint

LATENCY = 1  # cycles from s_again to m; from s_prompt one more


def draws(s_prompt: Stream) -> bool:
    """Whether the build has a sampler."""
    return hasattr(s_prompt, "target")


def again_stream(s_prompt: Stream) -> Stream:
    """A sampled token on its way back, the next input of its sequence; types as in the prompt stream."""
    return Stream(token=uint(len(s_prompt.token)), seq=uint(len(s_prompt.seq)))


def input_stream(s_prompt: Stream) -> Stream:
    """An input token of a sequence; types as in the prompt stream.

    bad: a token outside the vocabulary; scored: a prediction is wanted; first, last: first and last of its prompt, a
    sampled one counts as last; limit: the last position that `steps` allows, valid with the first. In builds with a
    sampler: target: what the prompt has next, where it is not the last; prompted: of a prompt; faulty: a first one
    whose settings are, which counts as bad.
    """
    more = dict(target=uint(len(s_prompt.token)), prompted=bit(), faulty=bit()) if draws(s_prompt) else {}
    return Stream(
        token=uint(len(s_prompt.token)),
        seq=uint(len(s_prompt.seq)),
        limit=Signal(modbv(0)[len(s_prompt.steps) :]),
        bad=bit(),
        scored=bit(),
        first=bit(),
        last=bit(),
        **more,
    )


@hblock
def pick(clk, rst, enable, s_prompt, s_again, ended, ended_seq, m, opens, opens_seq, faulty, vocab_size, SLOTS):
    """m: `input_stream`; from s_prompt: `prompt_stream`, and s_again: `again_stream`, in turns when both wait.

    enable: in, prompts are taken. opens, opens_seq: out, a strobe, a sequence whose first token is taken into m;
    faulty: in, beside it, its settings are. ended, ended_seq: in, a strobe, the sequence that has given its last
    answer.
    A prompt's first token waits until the sequence before it in the same slot has ended, and what is behind it waits
    too. All further tokens of a prompt pass, whether their sequence has ended or not.
    SLOTS: entries of the slots' state, 2 or more. A token every cycle, from s_prompt every other cycle.
    """
    prompting, running = [[bit() for _ in range(SLOTS)] for _ in range(2)]
    held, bad, may, free = [bit() for _ in range(4)]
    turn = bit()  # whose it is when both wait: the sampled token's
    take_prompt, take_again = bit(), bit()
    token, target = [uint(len(s_prompt.token)) for _ in range(2)]
    seq = uint(len(s_prompt.seq))
    limit = Signal(modbv(0)[len(s_prompt.steps) :])
    score, last, first = bit(), bit(), bit()

    @always_comb
    def look():
        first.next = not prompting[seq]
        may.next = held and (prompting[seq] or not running[seq])
        free.next = m.ready or not m.valid

    @always_comb
    def choose():
        take_prompt.next = free and may and not (s_again.valid and turn)
        take_again.next = free and s_again.valid and (turn or not may)

    @always_comb
    def open_sequence():
        opens.next = free and may and first and not (s_again.valid and turn)
        opens_seq.next = seq

    @always_comb
    def handshake():
        s_prompt.ready.next = enable and not held
        s_again.ready.next = free and (turn or not may)

    @always(clk.posedge)
    def prompt():
        if not held:
            token.next = s_prompt.token
            seq.next = s_prompt.seq
            limit.next = s_prompt.steps - 1
            score.next = s_prompt.score
            last.next = s_prompt.last
            bad.next = s_prompt.token >= vocab_size

    @always(clk.posedge)
    def data():
        if take_again:
            m.token.next = s_again.token
            m.seq.next = s_again.seq
            m.bad.next = False
            m.scored.next = True
            m.first.next = False
            m.last.next = True
        elif take_prompt:
            m.token.next = token
            m.seq.next = seq
            m.limit.next = limit
            m.bad.next = bad or (first and faulty)
            m.scored.next = score or last
            m.first.next = first
            m.last.next = last

    @always(clk.posedge)
    def control():
        if rst:
            held.next = False
            turn.next = False
            m.valid.next = False
        else:
            if take_prompt:
                held.next = False
                turn.next = True
            elif take_again:
                turn.next = False
            if s_prompt.valid and s_prompt.ready:
                held.next = True
            if free:
                m.valid.next = take_prompt or take_again

    @always(clk.posedge)
    def slots():
        if rst:
            for k in range(SLOTS):
                prompting[k].next = False
                running[k].next = False
        else:
            if ended:
                running[ended_seq].next = False
            if take_prompt:
                prompting[seq].next = not last
                if first:
                    running[seq].next = True

    more = ()
    if draws(s_prompt):

        @always(clk.posedge)
        def prompt_target():
            if not held:
                target.next = s_prompt.target

        @always(clk.posedge)
        def data_target():
            if take_prompt or take_again:
                m.prompted.next = take_prompt
                m.target.next = target
                m.faulty.next = take_prompt and first and faulty

        more = prompt_target, data_target

    return look, choose, open_sequence, handshake, prompt, data, control, slots, more


def ports(s_prompt: Stream, vocab_bits: int, SLOTS: int) -> dict:
    """Fresh ports and parameters beside a prompt stream, for a vocab_size of so many bits: `pick(**ports(..))`."""
    strobes = {name: bit() for name in ("clk", "rst", "enable", "ended", "opens", "faulty")}
    seqs = {name: uint(len(s_prompt.seq)) for name in ("ended_seq", "opens_seq")}
    streams = dict(s_prompt=s_prompt, s_again=again_stream(s_prompt), m=input_stream(s_prompt))
    return dict(**strobes, **seqs, **streams, vocab_size=uint(vocab_bits), SLOTS=SLOTS)
