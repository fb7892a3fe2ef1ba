"""The decode loop in hardware: prompt tokens first, then the decoder's own, until something ends the sequence."""

from myhdl import always, always_comb

from rtl.errors import BAD_TOKEN, NONE, TOO_LONG
from rtl.hdl.hierarchy import hblock, unused
from rtl.stream.stream import Stream, bit, uint

# why a sequence ended (field `stop` of the token stream)
GOES_ON, STOP_TOKEN, STOP_STEPS, STOP_CONTEXT, STOP_ERROR = range(5)
STOP_BITS = 3
STOP_NAMES = {STOP_TOKEN: "stop token", STOP_STEPS: "steps", STOP_CONTEXT: "context", STOP_ERROR: "error"}

IDLE, CHECK, REQUEST, WAIT, DECIDE, EMIT, NEXT, DRAIN = range(8)
STATE_BITS = 3


def prompt_stream(build):
    """Prompt tokens; `steps` (positions to run at most) is taken with the first one."""
    return Stream(token=uint(build.token_bits), steps=uint(build.pos_bits + 1), last=bit())


def token_stream(build):
    """One beat a position: the most likely next token, whether it is the next input, and why the sequence ended."""
    return Stream(
        token=uint(build.token_bits), pos=uint(build.pos_bits), sampled=bit(), stop=uint(STOP_BITS), last=bit()
    )


@hblock
def decode_loop(
    clk, rst, enable, clear, s_prompt, m_request, s_prediction, m_token, vocab_size, seq_len, stop_a, stop_b, error
):
    """Runs one sequence at a time.

    enable: in, a model is loaded; clear: in, resets `error`. s_prompt, m_token: see the functions above.
    m_request: `token_request`; s_prediction: `prediction`, one for each request, in order.
    vocab_size, seq_len, stop_a, stop_b: shape registers. error: out, sticky code of `rtl/errors.py`.
    A bad prompt token or a prompt beyond the context ends the sequence with stop = STOP_ERROR; the rest of that
    prompt is swallowed and the next sequence starts clean.
    """
    state = uint(STATE_BITS)
    token = uint(len(s_prompt.token))
    pos = uint(len(m_request.pos))
    following = uint(len(s_prompt.steps))  # pos + 1
    steps = uint(len(s_prompt.steps))
    prompted = bit()  # the whole prompt has been taken
    best = uint(len(s_prompt.token))
    unused(s_prediction.seq, s_prediction.pos)  # one sequence in flight: the answer is to the last request

    @always_comb
    def streams():
        s_prompt.ready.next = (state == IDLE and enable) or state == NEXT or state == DRAIN
        m_request.valid.next = state == REQUEST
        s_prediction.ready.next = state == WAIT
        m_token.valid.next = state == EMIT

    @always_comb
    def request():
        m_request.token.next = token
        m_request.pos.next = pos
        m_request.seq.next = 0
        following.next = pos + 1

    @always(clk.posedge)
    def data():
        if s_prompt.valid and (state == IDLE or state == NEXT):
            token.next = s_prompt.token
        elif state == EMIT:
            token.next = best
        if state == IDLE:
            steps.next = s_prompt.steps
        if state == WAIT:
            best.next = s_prediction.token
        if state == DECIDE:
            m_token.token.next = best
            m_token.sampled.next = prompted
        elif state == CHECK:
            m_token.token.next = token
            m_token.sampled.next = False
        m_token.pos.next = pos

    @always(clk.posedge)
    def control():
        if rst:
            state.next = IDLE
            error.next = NONE
            pos.next = 0
            prompted.next = False
            m_token.last.next = False
            m_token.stop.next = GOES_ON
        else:
            if clear:
                error.next = NONE
            if state == IDLE:
                pos.next = 0
                prompted.next = s_prompt.last
                if s_prompt.valid and enable:
                    state.next = CHECK
            elif state == CHECK:
                if token < vocab_size:
                    state.next = REQUEST
                else:
                    error.next = BAD_TOKEN
                    m_token.last.next = True
                    m_token.stop.next = STOP_ERROR
                    state.next = EMIT
            elif state == REQUEST:
                if m_request.ready:
                    state.next = WAIT
            elif state == WAIT:
                if s_prediction.valid:
                    state.next = DECIDE
            elif state == DECIDE:
                state.next = EMIT
                m_token.last.next = True
                if prompted and (best == stop_a or best == stop_b):
                    m_token.stop.next = STOP_TOKEN
                elif following == steps:
                    m_token.stop.next = STOP_STEPS
                elif following == seq_len:
                    if prompted:
                        m_token.stop.next = STOP_CONTEXT
                    else:
                        m_token.stop.next = STOP_ERROR
                        error.next = TOO_LONG
                else:
                    m_token.stop.next = GOES_ON
                    m_token.last.next = False
            elif state == EMIT:
                if m_token.ready:
                    if m_token.last:
                        if prompted:
                            state.next = IDLE
                        else:
                            state.next = DRAIN
                    elif prompted:
                        pos.next = following[len(pos) :]
                        state.next = REQUEST
                    else:
                        state.next = NEXT
            elif state == NEXT:
                if s_prompt.valid:
                    pos.next = following[len(pos) :]
                    prompted.next = s_prompt.last
                    state.next = CHECK
            else:
                if s_prompt.valid and s_prompt.last:
                    state.next = IDLE

    return streams, request, data, control
