"""What the decoder says of one sequence that runs alone: the integer model inside a model of the decode loop."""

from collections.abc import Iterator
from itertools import count

import numpy as np

from llama2_myhdl.golden.fixed_model import FixedModel
from llama2_myhdl.rtl.decode.decode_loop import GOES_ON, STOP_CONTEXT, STOP_ERROR, STOP_STEPS, STOP_TOKEN
from llama2_myhdl.sim.jobs import Job

STOPS = (1, 2)  # the stop tokens of a model


def sequence(golden: FixedModel, job: Job) -> Iterator[tuple[dict, dict]]:
    """(taps, fields of the token beat) of every position up to the sequence's end."""
    golden.reset()
    shape, token = golden.shape, job.prompt[0]
    for pos in count():
        bad, prompted = token >= shape.vocab_size, pos + 1 < len(job.prompt)
        sampled, scored = not bad and not prompted, not bad and (job.score or not prompted)
        taps = {}
        logits = golden.forward(0 if bad else token, pos, taps, scored)
        best = int(np.argmax(logits)) if scored else 0
        if bad:
            stop = STOP_ERROR
        elif sampled and best in STOPS:
            stop = STOP_TOKEN
        elif pos + 1 == job.steps:
            stop = STOP_STEPS
        elif pos + 1 == shape.seq_len:
            stop = STOP_ERROR if prompted else STOP_CONTEXT
        else:
            stop = GOES_ON
        yield taps, dict(
            token=token if bad else best,
            seq=job.seq,
            pos=pos,
            scored=int(scored),
            sampled=int(sampled),
            stop=stop,
            last=int(stop != GOES_ON),
        )
        if stop != GOES_ON:
            return
        token = job.prompt[pos + 1] if prompted else best
