"""The cocotb side of `host.simulate`: boots the decoder, feeds prompts, reports every token as a line of JSON.

Runs inside the simulator. The job file (JSON) is named by the environment variable DECODER_JOBS:
{"jobs": [{"tape": file or null, "prompt": [ids], "steps": n, "taps": {position: file}, "trace": bool}, ...],
"events": file}. A job without a tape goes on with the model that is loaded. `taps` has the engine's streams at those
positions written as JSON, `trace` adds the rows of the cycle table to the events (from that job on). Signals change on
falling edges, so nothing races the clock.
"""

import itertools
import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from host.taps import Recorder
from host.trace import Tracer
from weights.tape import read_tape

PERIOD_NS = 10
RESET_CYCLES = 4
BOOT_SETTLE_CYCLES = 20  # from the last boot beat to `loaded` or `error`
JOBS = "DECODER_JOBS"


class Decoder:
    """The pins of the decoder top."""

    def __init__(self, dut):
        self.dut = dut

    async def reset(self):
        """Hold reset for some cycles with all inputs idle."""
        dut = self.dut
        for pin in (dut.s_boot_valid, dut.s_boot_last, dut.s_prompt_valid, dut.s_prompt_last, dut.clear):
            pin.value = 0
        dut.s_boot_data.value = 0
        dut.s_prompt_token.value = 0
        dut.s_prompt_steps.value = 0
        dut.m_token_ready.value = 1
        dut.rst.value = 1
        await ClockCycles(dut.clk, RESET_CYCLES)
        await FallingEdge(dut.clk)
        dut.rst.value = 0

    async def boot(self, beats):
        """Send a boot image (uint8 [n, lanes]); returns the error code, 0 when the model is loaded."""
        dut = self.dut
        await FallingEdge(dut.clk)
        dut.s_boot_valid.value = 1
        for k, beat in enumerate(beats):
            dut.s_boot_data.value = int.from_bytes(beat.tobytes(), "little")
            dut.s_boot_last.value = int(k == len(beats) - 1)
            while True:
                await RisingEdge(dut.clk)
                taken = dut.s_boot_ready.value == 1
                await FallingEdge(dut.clk)
                if taken:
                    break
        dut.s_boot_valid.value = 0
        await ClockCycles(dut.clk, BOOT_SETTLE_CYCLES)
        await FallingEdge(dut.clk)
        return int(dut.error.value)

    async def prompt(self, tokens, steps):
        """Feed the prompt; each token is taken when the decode loop asks for it."""
        dut = self.dut
        await FallingEdge(dut.clk)
        for k, token in enumerate(tokens):
            dut.s_prompt_token.value = token
            dut.s_prompt_steps.value = steps
            dut.s_prompt_last.value = int(k == len(tokens) - 1)
            dut.s_prompt_valid.value = 1
            if dut.s_prompt_ready.value != 1:
                await RisingEdge(dut.s_prompt_ready)
                await FallingEdge(dut.clk)
            await FallingEdge(dut.clk)  # the rising edge in between took it
        dut.s_prompt_valid.value = 0

    async def token(self):
        """Wait for the next beat of the token stream; its fields and the counters as a dict."""
        dut = self.dut
        await RisingEdge(dut.m_token_valid)
        await FallingEdge(dut.clk)
        names = ("token", "pos", "sampled", "stop", "last")
        return {name: int(getattr(dut, f"m_token_{name}").value) for name in names} | self.counters()

    def counters(self):
        """The hardware's counters and error code."""
        names = ("cycles", "mac_beats", "attention_cycles", "saturations", "error")
        return {name: int(getattr(self.dut, name).value) for name in names}


async def run_job(decoder, recorder, job, emit):
    """One job: boot if it brings a tape, then one sequence."""
    if job["tape"]:
        await decoder.reset()
        error = await decoder.boot(read_tape(job["tape"]).beats)
        emit(event="boot", **decoder.counters())
        if error:
            return
    else:
        decoder.dut.clear.value = 1
        await ClockCycles(decoder.dut.clk, 2)
        decoder.dut.clear.value = 0
    emit(event="start", **decoder.counters())
    if job["trace"]:
        Tracer(decoder.dut, emit)
    cocotb.start_soon(decoder.prompt(job["prompt"], job["steps"]))
    for pos in itertools.count():
        tap_file = job["taps"].get(str(pos))
        if tap_file:
            recorder.begin()
        token = await decoder.token()
        if tap_file:
            Path(tap_file).write_text(json.dumps(recorder.end()))
        emit(event="token", **token)
        if token["last"]:
            return


@cocotb.test()
async def serve(dut):
    """Run all jobs of the job file, one after the other, in one simulation."""
    plan = json.loads(Path(os.environ[JOBS]).read_text())
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
    decoder, recorder = Decoder(dut), Recorder(dut.clk, dut.u_layers)
    with open(plan["events"], "w", buffering=1) as events:

        def emit(**event):
            events.write(json.dumps(event) + "\n")

        for number, job in enumerate(plan["jobs"]):
            await run_job(decoder, recorder, job, lambda job_number=number, **event: emit(job=job_number, **event))
        emit(event="end")
