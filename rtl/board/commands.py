"""Carries out the host's frames, one after the other, each with an answer."""

from myhdl import Signal, always, always_comb, concat, modbv

from llama2_myhdl.hdl.hierarchy import hblock
from llama2_myhdl.rtl.board import inquiry
from llama2_myhdl.rtl.board.event import BODY_BITS, KIND_BITS, event_stream, pack_body, unpack_body
from llama2_myhdl.rtl.board.frame_store import frame_stream
from llama2_myhdl.rtl.decode.decode_loop import prompt_stream
from llama2_myhdl.rtl.stream.stream import Stream, bit, uint
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.counters import COUNTER_BITS
from llama2_myhdl.spec.errors import ERROR_BITS
from llama2_myhdl.spec.link import (
    ANSWER,
    BEGIN,
    BODY_BYTES,
    CLEAR,
    DAMAGED,
    DESCRIBED,
    DONE,
    GREETING,
    HELLO,
    IMAGE,
    IMAGE_END,
    MALFORMED,
    NOT_LOADED,
    NOT_LOADING,
    NUMBER_BITS,
    OUT_OF_TURN,
    PROMPT,
    READ,
    VALUE,
    VERSION,
)

KIND, NUMBER, BODY, JUDGE, OFFER, WAIT, REPLY = range(7)
STATE_BITS, REASON_BITS = 3, 3
WAIT_CYCLES = 7  # of a reset, and for a value to be looked up
WAIT_BITS = 3
assert WAIT_CYCLES >= inquiry.LATENCY


@hblock
def commands(
    clk, rst, s, m_image, m_prompt, m_answer, loaded, error, restart, clear, loading, select, station, value, DIGEST=0
):
    """s: `frame_stream`; see `spec/link.py` for frames and answers.

    m_image: Stream(data, last), the bytes of a boot image as they come; m_prompt: `prompt_stream`; m_answer:
    `event_stream`. loaded, error: in, of the decoder; restart: out, resets it, WAIT_CYCLES for a BEGIN; clear: out,
    pulse. loading: out, an image has begun and not ended. select, station: out, and value: in, WAIT_CYCLES later.
    DIGEST: 32 bits that tell one build from another.

    A frame is carried out as a whole: the next one waits until the decoder has taken the prompt token or the bytes.
    """
    state = uint(STATE_BITS)
    kind, number = uint(KIND_BITS), uint(NUMBER_BITS)
    due = Signal(modbv(0)[NUMBER_BITS:])  # the number that is waited for
    body = uint(BODY_BITS)  # its bytes come in from above
    count = uint((BODY_BYTES + 1).bit_length())  # of bytes of the body, BODY_BYTES + 1 or more
    image, passes, whole = bit(), bit(), bit()
    reason, answer = uint(REASON_BITS), uint(KIND_BITS)
    left = uint(WAIT_BITS)
    greeting_body, answer_body, value_body = [uint(BODY_BITS) for _ in range(3)]
    PAST = BODY_BYTES + 1

    prompting = unpack_body(
        PROMPT, body, token=m_prompt.token, steps=m_prompt.steps, seq=m_prompt.seq, score=m_prompt.score,
        last=m_prompt.last,
    )  # fmt: skip
    asking = unpack_body(READ, body, select=select, station=station)
    greeting = pack_body(
        GREETING, greeting_body, version=VERSION, loaded=loaded, error=error, values=len(DESCRIBED), digest=DIGEST
    )
    answering = pack_body(ANSWER, answer_body, reason=reason)
    telling = pack_body(VALUE, value_body, select=select, station=station, value=value)

    @always_comb
    def tell_apart():
        image.next = kind == IMAGE or kind == IMAGE_END
        passes.next = state == BODY and loading and number == due and (kind == IMAGE or kind == IMAGE_END)
        whole.next = count == BODY_BYTES

    @always_comb
    def accept():
        if passes:
            s.ready.next = m_image.ready
        else:
            s.ready.next = state <= BODY

    @always_comb
    def hand_on():
        m_image.valid.next = passes and s.valid
        m_image.data.next = s.data
        m_image.last.next = s.last and kind == IMAGE_END
        m_prompt.valid.next = state == OFFER

    @always_comb
    def act():
        restart.next = state == WAIT and kind == BEGIN
        clear.next = state == WAIT and kind == CLEAR

    @always(clk.posedge)
    def collect():
        if s.valid and s.ready:
            if state == KIND:
                kind.next = s.data
            elif state == NUMBER:
                number.next = s.data
                count.next = 0
            else:
                body.next = concat(s.data, body[BODY_BITS:8])
                if count != PAST:
                    count.next = count + 1

    @always(clk.posedge)
    def control():
        if rst:
            state.next = KIND
            due.next = 0
            loading.next = False
            left.next = 0
            m_answer.valid.next = False
        else:
            if m_answer.ready:
                m_answer.valid.next = False
            if state == KIND:
                answer.next = ANSWER
                reason.next = DONE
                left.next = WAIT_CYCLES
                if s.valid:
                    if s.bad:
                        reason.next = DAMAGED
                        state.next = REPLY
                    else:
                        state.next = NUMBER
            elif state == NUMBER:
                if s.valid:
                    if s.last:
                        state.next = JUDGE
                    else:
                        state.next = BODY
            elif state == BODY:
                if s.valid and s.ready and s.last:
                    state.next = JUDGE
            elif state == JUDGE:
                state.next = REPLY
                if kind == HELLO:
                    answer.next = GREETING
                    due.next = number + 1
                elif number != due:
                    reason.next = OUT_OF_TURN
                else:
                    due.next = due + 1
                    if image:
                        if not loading:
                            reason.next = NOT_LOADING
                        elif kind == IMAGE_END:
                            loading.next = False
                    elif not whole:
                        reason.next = MALFORMED
                    elif kind == BEGIN:
                        loading.next = True
                        state.next = WAIT
                    elif kind == CLEAR:
                        state.next = WAIT
                    elif kind == READ:
                        answer.next = VALUE
                        state.next = WAIT
                    elif kind == PROMPT:
                        if loaded:
                            state.next = OFFER
                        else:
                            reason.next = NOT_LOADED
                    else:
                        reason.next = MALFORMED
            elif state == OFFER:
                if m_prompt.ready:
                    state.next = REPLY
            elif state == WAIT:
                left.next = left - 1
                if left == 1:
                    state.next = REPLY
            elif m_answer.ready or not m_answer.valid:
                m_answer.valid.next = True
                state.next = KIND

    @always(clk.posedge)
    def reply():
        if state == REPLY and (m_answer.ready or not m_answer.valid):
            m_answer.kind.next = answer
            m_answer.number.next = due
            if answer == GREETING:
                m_answer.body.next = greeting_body
            elif answer == VALUE:
                m_answer.body.next = value_body
            else:
                m_answer.body.next = answer_body

    return (
        prompting,
        asking,
        greeting,
        answering,
        telling,
        tell_apart,
        accept,
        hand_on,
        act,
        collect,
        control,
        reply,
    )


def ports(build: BuildConfig, digest: int = 0):
    """Fresh ports and parameters, by name."""
    streams = dict(s=frame_stream(), m_image=Stream(data=uint(8), last=bit()), m_prompt=prompt_stream(build))
    flags = {name: bit() for name in ("loaded", "restart", "clear", "loading")}
    codes = dict(error=uint(ERROR_BITS), select=uint(inquiry.CODE_BITS), station=uint(inquiry.CODE_BITS))
    values = dict(value=uint(COUNTER_BITS), m_answer=event_stream())
    return dict(clk=bit(), rst=bit(), **streams, **flags, **codes, **values, DIGEST=digest)
