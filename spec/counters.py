"""What the hardware counts for its host, for each station.

Cycles by their cause, tokens, cycles with busy attention, clipped values, and draws for which the sampler's list was
too short.
"""

from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.config import clog2

COUNTER_BITS = 48  # a month at 100 MHz
COUNTERS = CAUSES + ("tokens", "attention_busy", "saturations", "list_overflows")
SELECT_BITS = clog2(len(COUNTERS))
