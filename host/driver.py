"""The cocotb side of `host.simulate`: boots the decoder, feeds prompts, reports every token as a line of JSON.

Runs inside the simulator. The plan (JSON) is named by the environment variable DECODER_JOBS:
{"groups": [[job, ...], ...], "stations": n, "events": file}, a job as `host.simulate.Job`. The jobs of a group run side
by side, each in its own sequence slot; the next group starts when all have ended. A group whose first job brings no
tape goes on with the model that is loaded. Signals change on falling edges, so nothing races the clock.
"""

import json
import os
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, Lock, RisingEdge, with_timeout

from llama2_myhdl.host.taps import Recorder
from llama2_myhdl.host.trace import Tracer
from llama2_myhdl.rtl.decode.counters import COUNTERS
from llama2_myhdl.weights.tape import read_tape

PERIOD_NS = 10
RESET_CYCLES = 4
BOOT_SETTLE_CYCLES = 20  # from the last boot beat to `loaded` or `error`
COUNTER_CYCLES = 2  # from counter_select to counter_value
LEAST_PATIENCE, PATIENCE = 1_000_000, 20  # cycles; times the cycle floor of a token: then the hardware is stuck
JOBS = "DECODER_JOBS"
TOKEN_FIELDS = ("token", "seq", "pos", "scored", "sampled", "stop", "last")


class Decoder:
    """The pins of the decoder top."""

    def __init__(self, dut, stations: int):
        self.dut, self.stations = dut, stations
        self.patience = LEAST_PATIENCE  # cycles to wait for a token beat
        self._prompt_port = Lock()

    async def reset(self):
        """Hold reset for some cycles with all inputs idle."""
        dut = self.dut
        for pin in (dut.s_boot_valid, dut.s_boot_last, dut.s_prompt_valid, dut.s_prompt_last, dut.clear):
            pin.value = 0
        for pin in (dut.s_boot_data, dut.s_prompt_token, dut.s_prompt_steps, dut.s_prompt_seq, dut.s_prompt_score):
            pin.value = 0
        dut.counter_station.value, dut.counter_select.value = 0, 0
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

    async def prompt(self, job):
        """Feed one prompt, a token at a time; other prompts may come in between."""
        dut = self.dut
        if job["delay"]:
            await ClockCycles(dut.clk, job["delay"])
        for k, token in enumerate(job["prompt"]):
            if k and job["gap"]:
                await ClockCycles(dut.clk, job["gap"])
            async with self._prompt_port:
                await FallingEdge(dut.clk)
                dut.s_prompt_token.value = token
                dut.s_prompt_seq.value = job["seq"]
                dut.s_prompt_steps.value = job["steps"]
                dut.s_prompt_score.value = int(job["score"])
                dut.s_prompt_last.value = int(k == len(job["prompt"]) - 1)
                dut.s_prompt_valid.value = 1
                while True:
                    await RisingEdge(dut.clk)
                    taken = dut.s_prompt_ready.value == 1
                    if not taken:
                        await RisingEdge(dut.s_prompt_ready)
                        continue
                    await FallingEdge(dut.clk)
                    break
                dut.s_prompt_valid.value = 0

    async def token(self):
        """Wait for the next beat of the token stream; its fields, the cycle and the error code.

        SimTimeoutError, which ends the simulation, when none comes for `patience` cycles.
        """
        dut = self.dut
        while True:
            await RisingEdge(dut.clk)
            if dut.m_token_valid.value == 1:  # m_token_ready is always high
                beat = {name: int(getattr(dut, f"m_token_{name}").value) for name in TOKEN_FIELDS}
                return beat | dict(cycles=int(dut.cycles.value), error=int(dut.error.value))
            await with_timeout(RisingEdge(dut.m_token_valid), self.patience * PERIOD_NS, "ns")
            await FallingEdge(dut.clk)

    async def counters(self):
        """All counters of all stations, and the cycle in which the first one was read."""
        dut, stations = self.dut, []
        cycles = int(dut.cycles.value)
        for station in range(self.stations):
            counts = {}
            for select, name in enumerate(COUNTERS):
                await FallingEdge(dut.clk)
                dut.counter_station.value, dut.counter_select.value = station, select
                await ClockCycles(dut.clk, COUNTER_CYCLES)
                await FallingEdge(dut.clk)
                counts[name] = int(dut.counter_value.value)
            stations.append(counts)
        return dict(cycles=cycles, counters=stations, error=int(dut.error.value))


async def run_group(decoder, recorder, numbers, jobs, emit):
    """Boot if the first job brings a tape, then run all jobs side by side."""
    dut = decoder.dut
    if jobs[0]["tape"]:
        tape = read_tape(jobs[0]["tape"])
        decoder.patience = max(LEAST_PATIENCE, PATIENCE * tape.shape.beats(tape.lanes))
        await decoder.reset()
        error = await decoder.boot(tape.beats)
        for number in numbers:
            emit(event="boot", job=number, cycles=int(dut.cycles.value), error=error)
        if error:
            return
    else:
        dut.clear.value = 1
        await ClockCycles(dut.clk, 2)
        dut.clear.value = 0
    counts = await decoder.counters()
    for number in numbers:
        emit(event="start", job=number, **(counts | dict(cycles=int(dut.cycles.value))))
    tracer = Tracer(dut, decoder.stations, lambda **row: emit(jobs=numbers, **row)) if jobs[0]["trace"] else None
    slots = {job["seq"]: number for number, job in zip(numbers, jobs)}
    taps = jobs[0]["taps"] if len(jobs) == 1 else {}  # {position: file}
    recorder.want([int(pos) for pos in taps])
    feeders = [cocotb.start_soon(decoder.prompt(job)) for job in jobs]
    position, running = 0, len(jobs)
    while running:
        token = await decoder.token()
        if str(position) in taps:
            Path(taps[str(position)]).write_text(json.dumps(recorder.take(position)))
        emit(event="token", job=slots[token["seq"]], **token)
        position += 1
        running -= token["last"]
    for feeder in feeders:
        await feeder
    if tracer:
        tracer.stop()
    counts = await decoder.counters()
    for number in numbers:
        emit(event="finish", job=number, **counts)


@cocotb.test()
async def serve(dut):
    """Run all groups of the plan, one after the other, in one simulation."""
    plan = json.loads(Path(os.environ[JOBS]).read_text())
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
    decoder, recorder = Decoder(dut, plan["stations"]), Recorder(dut, plan["stations"])
    number = 0
    with open(plan["events"], "w", buffering=1) as events:

        def emit(**event):
            events.write(json.dumps(event) + "\n")

        for jobs in plan["groups"]:
            numbers = list(range(number, number + len(jobs)))
            number += len(jobs)
            await run_group(decoder, recorder, numbers, jobs, emit)
        emit(event="end")
