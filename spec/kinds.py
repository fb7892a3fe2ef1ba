"""Kinds of matrix rows: the tag that travels with every row result from the matvec to its consumer."""

KEY = 0  # Wk rows -> RoPE -> key cache
QUERY = 1  # Wq rows -> RoPE -> attention
VALUE = 2  # Wv rows -> value cache
OUT = 3  # Wo rows -> residual
GATE_UP = 4  # W1 and W3 rows interleaved -> SwiGLU
PARTIAL = 5  # W2 rows over one block of the hidden vector -> residual, which only accumulates
DOWN = 6  # W2 rows over the last block -> residual
LOGITS = 7  # classifier rows -> argmax
GAIN = 8  # no rows: norm gains, passed through to RMSNorm
KIND_BITS = 4
