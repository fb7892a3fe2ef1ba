"""Run the decoder in a simulator: convert, compile (cached), boot, prompt, and yield events while it runs."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llama2_myhdl.golden.folders import PROJECT
from llama2_myhdl.host import driver
from llama2_myhdl.rtl.config import BuildConfig
from llama2_myhdl.rtl.decoder import decoder, ports, stations
from llama2_myhdl.sim.runner import TEST_ARGS, build, check_results

POLL_SECONDS = 0.02


class SimulationError(RuntimeError):
    """The simulation ended without finishing its jobs."""


@dataclass(frozen=True)
class Job:
    """One sequence. tape: a tape file to boot first, or None to go on with the loaded model.

    taps: positions whose streams are to be recorded, each with the file to write them to (see `host.taps`; only for a
    job alone). trace: add the rows of the cycle table to the events (see `host.trace`). score: predictions of the
    prompt's positions are wanted too; without, they skip the classifier. seq: the sequence slot; delay: cycles from the
    start of the group to the first prompt token; gap: cycles between prompt tokens.
    """

    prompt: list[int]
    steps: int
    tape: str | None = None
    taps: dict[int, str] = field(default_factory=dict)
    trace: bool = False
    score: bool = True
    seq: int = 0
    delay: int = 0
    gap: int = 0


@dataclass
class Outcome:
    """What the hardware said of one job.

    boot, start, finish: events with the cycle, the error code and (the last two) all counters of all stations;
    tokens: its token-stream beats, dicts of the fields, the cycle and the error code.
    """

    start: dict | None = None
    boot: dict | None = None
    finish: dict | None = None
    tokens: list[dict] = field(default_factory=list)
    trace: list[dict] = field(default_factory=list)

    @property
    def predictions(self) -> list[int]:
        """The most likely next token at every position; 0 where it was not scored."""
        return [t["token"] for t in self.tokens]

    @property
    def cycles_per_position(self) -> list[int]:
        """Clock cycles from one beat of the token stream to the next; the first from the start of the sequence."""
        marks = [self.start["cycles"]] + [t["cycles"] for t in self.tokens]
        return [b - a for a, b in zip(marks, marks[1:])]

    def counted(self, name: str, station: int | None = None) -> int:
        """What a counter of `rtl/decode/counters.py` counted while the job's group ran; of all stations by default."""
        stations = range(len(self.start["counters"])) if station is None else [station]
        return sum(self.finish["counters"][k][name] - self.start["counters"][k][name] for k in stations)


def prepare(config: BuildConfig, sim: str):
    """Convert and compile the decoder of this build (nothing is done twice); returns what `events` needs."""
    return *build(decoder, ports(config), sim), stations(config)


def _failure(text: str, log: Path, kept: Path) -> str:
    """One line for a failure of `check_results`: what it says, without the log's tail, and where the log is kept."""
    reason = text.splitlines()[0].rpartition(";")[0] or text.splitlines()[0]
    if not log.exists():
        return f"{reason}; the simulator left no log"
    shutil.copyfile(log, kept)
    return f"{reason}; the simulator's messages are in {kept}"


def events(prepared, sim: str, jobs: list[Job | list[Job]]) -> Iterator[dict]:
    """Run the jobs in one simulation; yields its events as they come (see `host.driver`).

    A list of jobs in place of one runs side by side, each in the slot `seq`; jobs are numbered in order, all counted.
    A simulation that fails, or a simulator that dies, is a SimulationError of one line that names its log.
    """
    runner, top, build_dir, count = prepared
    groups = [[vars(job) for job in (group if isinstance(group, list) else [group])] for group in jobs]
    with tempfile.TemporaryDirectory(dir=build_dir, prefix="run-") as scratch:
        folder = Path(scratch)
        lines, plan, log = folder / "events", folder / "jobs", folder / "log"
        lines.touch()
        plan.write_text(json.dumps({"groups": groups, "stations": count, "events": str(lines)}))

        def simulate():
            try:
                runner.test(
                    test_module=driver.__name__,
                    hdl_toplevel=top,
                    hdl_toplevel_lang="verilog",
                    build_dir=build_dir,
                    test_dir=folder,
                    results_xml=str(folder / "results.xml"),
                    log_file=log,
                    test_args=TEST_ARGS[sim],
                    extra_env={
                        driver.JOBS: str(plan),
                        "COCOTB_ANSI_OUTPUT": "0",
                        "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]),
                    },
                )
            except (SystemExit, RuntimeError):
                pass  # a test failed, or the simulator died (a live check's $fatal); the results and the log tell

        thread = threading.Thread(target=simulate)
        thread.start()
        finished, text = False, ""
        with open(lines) as stream:
            while not finished:
                alive = thread.is_alive()
                for piece in stream:
                    text += piece
                    if not text.endswith("\n"):
                        continue  # a long line is written in pieces; the rest follows
                    event, text = json.loads(text), ""
                    finished = event["event"] == "end"
                    if not finished:
                        yield event
                if not finished and not alive:
                    break
                time.sleep(POLL_SECONDS)
        thread.join()
        try:
            check_results(folder / "results.xml", log)
        except AssertionError as error:
            raise SimulationError(_failure(str(error), log, build_dir / f"{folder.name}.log")) from error


def collect(stream: Iterator[dict], count: int) -> list[Outcome]:
    """Sort the events of `count` jobs into outcomes; rows of the cycle table go to all jobs of their group."""
    outcomes = [Outcome() for _ in range(count)]
    for event in stream:
        if event["event"] == "token":
            outcomes[event["job"]].tokens.append(event)
        elif event["event"] == "trace":
            for number in event["jobs"]:
                outcomes[number].trace.append(event)
        else:
            setattr(outcomes[event["job"]], event["event"], event)
    return outcomes


def run(config: BuildConfig, sim: str, jobs: list[Job | list[Job]]) -> list[Outcome]:
    """Prepare and run; the outcomes of all jobs, groups spread out, in their order."""
    count = sum(len(group) if isinstance(group, list) else 1 for group in jobs)
    return collect(events(prepare(config, sim), sim, jobs), count)
