"""What the hardware counts for its host, for each station: causes of cycles, tokens, busy attention, saturations."""

from llama2_myhdl.spec.causes import CAUSES
from llama2_myhdl.spec.config import clog2

COUNTER_BITS = 48  # a month at 100 MHz
COUNTERS = CAUSES + ("tokens", "attention_busy", "saturations")
SELECT_BITS = clog2(len(COUNTERS))
