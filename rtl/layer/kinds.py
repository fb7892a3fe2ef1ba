"""Kinds of matrix rows: the tag that travels with every row result from the matvec to its consumer."""

KEY = 0  # Wk rows -> RoPE -> key cache
VALUE = 1  # Wv rows -> value cache
QUERY = 2  # Wq rows -> RoPE -> attention
OUT = 3  # Wo rows -> residual
GATE_UP = 4  # W1 and W3 rows interleaved -> SwiGLU
DOWN = 5  # W2 rows -> residual
LOGITS = 6  # classifier rows -> argmax
GAIN = 7  # no rows: norm gains, passed through to RMSNorm
KIND_BITS = 3
