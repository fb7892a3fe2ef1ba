"""The integer model's answers to a story, in a process of its own: the simulation does not wait for them.

`python -m llama2_myhdl.golden.checker` is that process: it reads pickles from standard input, first (weights, build),
then (token, position, scored) for every position, and at the end writes a pickle of its `Answers`.
"""

import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.rtl.config import BuildConfig


@dataclass(frozen=True)
class Answers:
    """predictions: the most likely next token at every position, 0 where it was not scored; seconds: of CPU."""

    predictions: list[int]
    seconds: float


class Checker:
    """weights: a `QuantisedCheckpoint`; `ask` for every position in turn, then take the answers with `finish`."""

    def __init__(self, weights, build: BuildConfig):
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._send((weights, build))

    def _send(self, message) -> None:
        pickle.dump(message, self._process.stdin)
        self._process.stdin.flush()

    def ask(self, token: int, pos: int, scored: bool) -> None:
        """The story has `token` at `pos`; what does the model say behind it?"""
        self._send((token, pos, scored))

    def finish(self) -> Answers:
        """Wait for the answers."""
        self._process.stdin.close()
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
    requests = sys.stdin.buffer
    model = FixedModel(*pickle.load(requests))
    predictions = []
    while True:
        try:
            token, pos, scored = pickle.load(requests)
        except EOFError:
            break
        logits = model.forward(token, pos, scored=scored)
        predictions.append(int(logits.argmax()) if scored else 0)
    pickle.dump(Answers(predictions, time.process_time() - began), sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    from llama2_myhdl.golden import checker  # the pickle must name the class by its module, not by __main__

    sys.exit(checker.main())
