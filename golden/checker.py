"""The integer model's stories, in a process of their own: the simulation does not wait for them.

`python -m llama2_myhdl.golden.checker` is that process: it reads a pickle of (weights, build, requests) from standard
input and writes one of its `Answers`.
"""

import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.golden.likelihood import Scored
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.spec.sequence import Beat, Request


@dataclass(frozen=True)
class Answers:
    """Of each request: beats, the whole sequence's; exact: where it asks for log-probabilities, those of the integer
    model's logits in float64, of each scored beat. seconds: of CPU."""

    beats: list[list[Beat]]
    exact: list[list[float]]
    seconds: float


class Checker:
    """Decodes the requests, each alone, beside whatever else is done; `finish` gives what came of it."""

    def __init__(self, weights: QuantisedCheckpoint, build: BuildConfig, requests: list[Request]):
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pickle.dump((weights, build, requests), self._process.stdin)
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
    weights, build, requests = pickle.load(sys.stdin.buffer)
    model, beats, exact = FixedModel(weights, build), [], []
    for request in requests:
        choose = Scored(model.sampler(request), request.sampling)
        beats.append(list(model.decode(request, choose)))
        exact.append(choose.exact)
    pickle.dump(Answers(beats, exact, time.process_time() - began), sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    from llama2_myhdl.golden import checker  # the pickle must name the class by its module, not by __main__

    sys.exit(checker.main())
