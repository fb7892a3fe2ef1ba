"""The decode loop against a model of it: prompts, sampling, every way to stop, errors and what comes after them."""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from rtl import errors
from rtl.config import preset
from rtl.decode.decode_loop import (
    GOES_ON,
    STOP_BITS,
    STOP_CONTEXT,
    STOP_ERROR,
    STOP_STEPS,
    STOP_TOKEN,
    decode_loop,
    prompt_stream,
    token_stream,
)
from rtl.layer.packet import prediction, token_request
from rtl.stream.stream import bit, uint
from tb.clock import start
from tb.runner import SIMULATORS, run
from tb.stream.drivers import StreamSink, StreamSource

BUILD = preset("nano").build
VOCAB, CONTEXT, STOPS = 20, 10, (1, 2)
POSITION = dict(token=BUILD.token_bits, seq=BUILD.seq_bits, pos=BUILD.pos_bits)


def ports():
    return dict(
        clk=bit(),
        rst=bit(),
        enable=bit(),
        clear=bit(),
        s_prompt=prompt_stream(BUILD),
        m_request=token_request(BUILD),
        s_prediction=prediction(BUILD),
        m_token=token_stream(BUILD),
        vocab_size=uint(BUILD.token_bits),
        seq_len=uint(BUILD.pos_bits + 1),
        stop_a=uint(BUILD.token_bits),
        stop_b=uint(BUILD.token_bits),
        error=uint(errors.ERROR_BITS),
    )


@pytest.mark.parametrize("sim", SIMULATORS)
def test_decode_loop(sim):
    run(decode_loop, ports(), __name__, sim, tests=1)


def answer(token, pos):
    """The stand-in for the decoder: any function of token and position that reaches the stop tokens now and then."""
    return (token * 7 + pos * 3 + 5) % VOCAB


def expected(prompt, steps):
    """Requests and token beats of one sequence, and its error code."""
    requests, beats, token = [], [], prompt[0]
    for pos in range(CONTEXT):
        if token >= VOCAB:
            beats.append((token, pos, 0, STOP_ERROR, 1))
            return requests, beats, errors.BAD_TOKEN
        requests.append((token, pos))
        best, prompted = answer(token, pos), pos + 1 >= len(prompt)
        stop = GOES_ON
        if prompted and best in STOPS:
            stop = STOP_TOKEN
        elif pos + 1 == steps:
            stop = STOP_STEPS
        elif pos + 1 == CONTEXT:
            stop = STOP_CONTEXT if prompted else STOP_ERROR
        beats.append((best, pos, int(prompted), stop, int(stop != GOES_ON)))
        if stop != GOES_ON:
            return requests, beats, errors.TOO_LONG if stop == STOP_ERROR else errors.NONE
        token = best if prompted else prompt[pos + 1]
    raise AssertionError("the context's end was missed")


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def sequences(dut):
    """Random prompts and step limits, with pauses on all streams; bad ones in between."""
    rng = random.Random(6)
    prompts = StreamSource(dut, "s_prompt", token=BUILD.token_bits, steps=BUILD.pos_bits + 1, last=1)
    requests, answers = StreamSink(dut, "m_request", **POSITION), StreamSource(dut, "s_prediction", **POSITION)
    tokens = StreamSink(dut, "m_token", token=BUILD.token_bits, pos=BUILD.pos_bits, sampled=1, stop=STOP_BITS, last=1)
    for port in (prompts, requests, answers, tokens):
        port.pause(rng, 0.3)
    dut.vocab_size.value, dut.seq_len.value = VOCAB, CONTEXT
    dut.stop_a.value, dut.stop_b.value = STOPS
    dut.clear.value, dut.enable.value = 0, 0
    await start(dut)
    seen = []

    async def model():
        while True:
            request = await requests.recv()
            seen.append((request["token"], request["pos"]))
            answers.send_nowait(dict(request, token=answer(request["token"], request["pos"])))

    cocotb.start_soon(model())
    prompts.send_nowait(dict(token=3, steps=2, last=1))
    await ClockCycles(dut.clk, 20)
    assert prompts.sent == 0, "a prompt was taken before a model was loaded"
    dut.enable.value = 1
    reached, compared = set(), 0
    for number in range(300):
        length = rng.choice((1, 1, 2, 3, 5, CONTEXT, CONTEXT + 1, CONTEXT + 4))
        prompt, steps = [rng.randrange(VOCAB) for _ in range(length)], rng.choice((1, 2, 4, CONTEXT, 16))
        if number == 0:
            prompt, steps = [3], 2
        else:
            if rng.random() < 0.2:
                prompt[rng.randrange(length)] = rng.randrange(VOCAB, 2 * BUILD.max_vocab)
            prompts.send_nowait(*[dict(token=t, steps=steps, last=int(k == length - 1)) for k, t in enumerate(prompt)])
        want_requests, beats, code = expected(prompt, steps)
        for beat in beats:
            got = await tokens.recv()
            assert (got["token"], got["pos"], got["sampled"], got["stop"], got["last"]) == beat, (prompt, steps)
            compared += 1
        assert seen == want_requests
        await ClockCycles(dut.clk, 60)
        assert not prompts.queue and dut.error.value == code
        seen.clear()
        reached.add(beats[-1][3])
        dut.clear.value = 1
        await RisingEdge(dut.clk)
        dut.clear.value = 0
        await ClockCycles(dut.clk, 2)
        assert dut.error.value == errors.NONE
    assert reached == {STOP_TOKEN, STOP_STEPS, STOP_CONTEXT, STOP_ERROR}
    assert compared == tokens.received > 300
