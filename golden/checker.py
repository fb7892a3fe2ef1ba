"""The integer model's story, in a process of its own: the simulation does not wait for it.

`python -m llama2_myhdl.golden.checker` is that process: it reads a pickle of (weights, build, request) from standard
input and writes one of its `Answers`.
"""

import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.spec.sequence import Beat, Request


@dataclass(frozen=True)
class Answers:
    """beats: of the whole sequence; seconds: of CPU."""

    beats: list[Beat]
    seconds: float


class Checker:
    """Decodes `request` beside whatever else is done; `finish` gives what came of it."""

    def __init__(self, weights: QuantisedCheckpoint, build: BuildConfig, request: Request):
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pickle.dump((weights, build, request), self._process.stdin)
        self._process.stdin.close()

    def finish(self) -> Answers:
        """Wait for the answers."""
        return pickle.load(self._process.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def main() -> int:
    """Exit status 0. The process that asks ends this one; Ctrl-C does not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    began = time.process_time()
    weights, build, request = pickle.load(sys.stdin.buffer)
    beats = list(FixedModel(weights, build).decode(request))
    pickle.dump(Answers(beats, time.process_time() - began), sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    from llama2_myhdl.golden import checker  # the pickle must name the class by its module, not by __main__

    sys.exit(checker.main())
