"""The order of an engine's work on one token: the commands to the matvec, and with them the layout of the weight tape.

The packer writes the tape in this order, `rtl/layer/schedule.py` emits these commands, and a test holds the two
together.

For one token:  GAIN(att 0), then for every layer
KEY, VALUE, QUERY, GAIN(ffn), OUT, GATE_UP, GAIN(att of the next layer, or final), DOWN; then LOGITS.
Gains stand just ahead of the matrix whose rows they normalise, so they never hold the tape up.
"""

from dataclasses import dataclass
from math import ceil

from rtl.config import GAIN_BITS, BuildConfig, ModelShape
from rtl.layer.kinds import DOWN, GAIN, GATE_UP, KEY, LOGITS, OUT, QUERY, VALUE


@dataclass(frozen=True)
class Command:
    """One matvec command: `rows` rows of `beats` beats (GAIN: no rows, `beats` beats in all).

    `layer` is the layer whose matrix or gain it is (n_layers for the final norm and the classifier);
    `release` frees the activation vector after the last beat.
    """

    kind: int
    layer: int
    rows: int
    beats: int
    release: bool

    def tape_beats(self, lanes: int) -> int:
        """Beats on the tape: the weights and one beat of exponents for every `lanes` rows."""
        return self.rows * self.beats + ceil(self.rows / lanes) if self.rows else self.beats


def gain_beats(dim: int, lanes: int) -> int:
    """Beats of one vector of norm gains, without its exponent beat."""
    return ceil(dim * GAIN_BITS / 8 / lanes)


def _layer(layer: int, dim: int, kv_dim: int, hidden: int, lanes: int) -> list[Command]:
    d, h, g = ceil(dim / lanes), ceil(hidden / lanes), 1 + gain_beats(dim, lanes)
    return [
        Command(KEY, layer, kv_dim, d, False),
        Command(VALUE, layer, kv_dim, d, False),
        Command(QUERY, layer, dim, d, True),
        Command(GAIN, layer, 0, g, False),
        Command(OUT, layer, dim, d, True),
        Command(GATE_UP, layer, 2 * hidden, d, True),
        Command(GAIN, layer + 1, 0, g, False),
        Command(DOWN, layer, dim, h, True),
    ]


def program(shape: ModelShape, lanes: int) -> list[Command]:
    """All commands of one token, in tape order."""
    commands = [Command(GAIN, 0, 0, 1 + gain_beats(shape.dim, lanes), False)]
    for layer in range(shape.n_layers):
        commands += _layer(layer, shape.dim, shape.kv_dim, shape.hidden_dim, lanes)
    return commands + [Command(LOGITS, shape.n_layers, shape.vocab_size, ceil(shape.dim / lanes), True)]


def tape_beats(shape: ModelShape, lanes: int) -> int:
    """Length of the tape in beats."""
    return sum(c.tape_beats(lanes) for c in program(shape, lanes))


def tape_depth(build: BuildConfig) -> int:
    """Beats of the longest tape that the build's maxima admit: the depth of the on-chip tape memory."""
    lanes = build.lanes
    layer = sum(c.tape_beats(lanes) for c in _layer(0, build.max_dim, build.max_dim, build.max_hidden, lanes))
    head = Command(LOGITS, 0, build.max_vocab, build.dim_beats, True).tape_beats(lanes)
    return 1 + gain_beats(build.max_dim, lanes) + build.max_layers * layer + head
