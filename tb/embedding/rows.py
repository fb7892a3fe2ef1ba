"""Random rows of an embedding, and the beats that they are made of."""

from llama2_myhdl.golden.fixed.embedding import embed
from llama2_myhdl.spec.limits import embedding_limits
from tb.lanes import packed


def random_row(rng, dim, cfg):
    """The elements (F) of a row, and its beats as numbers: exponent, then mantissas, extremes among both. Noise stands
    where nobody looks: above the exponent, and behind the last element."""
    bits, lanes = cfg.weight_bits, cfg.lanes
    top, (low, high) = 1 << bits - 1, embedding_limits(bits).values()
    row = [rng.choice((-top, top - 1, 0, rng.randrange(-top, top))) for _ in range(-(-dim // lanes) * lanes)]
    exponent = rng.choice((low, high, rng.randrange(low, high + 1)))
    front = rng.randrange(1 << cfg.beat_bits) >> bits << bits | packed([exponent], bits)
    beats = [front, *(packed(row[k : k + lanes], bits) for k in range(0, len(row), lanes))]
    return embed(row[:dim], exponent).tolist(), beats
