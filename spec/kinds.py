"""Kinds of matrix rows: the tag that travels with every row result from the matvec to its consumer.

A unit has a bit of its own, so that a row finds its way without decoding; rows without one are for the heads.
"""

PARTIAL_BIT, VALUES_BIT, RESIDUAL_BIT, FFN_BIT, LOGITS_BIT = 0, 2, 3, 4, 5

KEY = 0  # Wk rows -> RoPE -> key cache
QUERY = 1  # Wq rows -> RoPE -> attention
GAIN = 2  # no rows: norm gains, passed through to RMSNorm
VALUE = 1 << VALUES_BIT  # Wv rows -> value cache
OUT = 1 << RESIDUAL_BIT  # Wo rows -> residual
PARTIAL = OUT + (1 << PARTIAL_BIT)  # W2 rows over one block of the hidden vector -> residual, which only accumulates
DOWN = OUT + 2  # W2 rows over the last block -> residual
GATE_UP = 1 << FFN_BIT  # W1 and W3 rows interleaved -> SwiGLU
LOGITS = 1 << LOGITS_BIT  # classifier rows -> argmax
KIND_BITS = 6

ROW_KINDS = (KEY, QUERY, VALUE, OUT, PARTIAL, DOWN, GATE_UP, LOGITS)
