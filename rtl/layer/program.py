"""The order of work on one token: the commands to the matvec, and with them the layout of the weight tapes.

The packer writes the tapes in this order, `rtl/layer/schedule.py` emits these commands, and a test holds the two
together.

For every layer  GAIN(att) KEY QUERY VALUE OUT GAIN(ffn) GATE_UP PARTIAL .. DOWN;  then the head  GAIN(final) LOGITS.

* Gains stand behind the matrix that makes the vector which they scale: they pass while that vector is on its way.
* The value rows come last of the three because their way to the attention output is the shortest: no RoPE, no score.
* W2 is cut into blocks of `hidden_block` columns, each a matrix of its own over a vector of its own: the first ones
  run while the last elements of the hidden vector are still being made.
"""

from dataclasses import dataclass
from math import ceil

from rtl.config import GAIN_BITS, BuildConfig, ModelShape
from rtl.layer.kinds import DOWN, GAIN, GATE_UP, KEY, LOGITS, OUT, PARTIAL, QUERY, VALUE


@dataclass(frozen=True)
class Command:
    """One matvec command: `rows` rows of `beats` beats (GAIN: no rows, `beats` beats in all).

    `layer` is the layer whose matrix or gain it is (n_layers for the head); `block`: first column of a block of W2;
    `release` frees the activation vector after the last beat; `head`: the beats come from the head's tape.
    """

    kind: int
    layer: int
    rows: int
    beats: int
    release: bool
    block: int = 0
    head: bool = False

    def tape_beats(self, lanes: int) -> int:
        """Beats on the tape: the weights and one beat of exponents for every `lanes` rows."""
        return self.rows * self.beats + ceil(self.rows / lanes) if self.rows else self.beats


def gain_beats(dim: int, lanes: int) -> int:
    """Beats of one vector of norm gains, without its exponent beat."""
    return ceil(dim * GAIN_BITS / 8 / lanes)


def _down(layer: int, dim: int, hidden: int, build: BuildConfig) -> list[Command]:
    blocks = range(0, hidden, build.hidden_block)
    partial = [Command(PARTIAL, layer, dim, build.block_beats, True, block) for block in blocks[:-1]]
    last = Command(DOWN, layer, dim, ceil((hidden - blocks[-1]) / build.lanes), True, blocks[-1])
    return [*partial, last]


def _layer(layer: int, dim: int, kv_dim: int, hidden: int, build: BuildConfig) -> list[Command]:
    d, g = ceil(dim / build.lanes), 1 + gain_beats(dim, build.lanes)
    return [
        Command(GAIN, layer, 0, g, False),
        Command(KEY, layer, kv_dim, d, False),
        Command(QUERY, layer, dim, d, False),
        Command(VALUE, layer, kv_dim, d, True),
        Command(OUT, layer, dim, d, True),
        Command(GAIN, layer, 0, g, False),
        Command(GATE_UP, layer, 2 * hidden, d, True),
        *_down(layer, dim, hidden, build),
    ]


def _head(layer: int, dim: int, vocab: int, build: BuildConfig) -> list[Command]:
    gains = Command(GAIN, layer, 0, 1 + gain_beats(dim, build.lanes), False, head=True)
    return [gains, Command(LOGITS, layer, vocab, ceil(dim / build.lanes), True, head=True)]


def _beats(commands: list[Command], build: BuildConfig) -> int:
    return sum(c.tape_beats(build.lanes) for c in commands)


def layer_program(shape: ModelShape, build: BuildConfig, layer: int) -> list[Command]:
    """The commands of one layer, in tape order."""
    return _layer(layer, shape.dim, shape.kv_dim, shape.hidden_dim, build)


def head_program(shape: ModelShape, build: BuildConfig) -> list[Command]:
    """The commands of the final norm and the classifier."""
    return _head(shape.n_layers, shape.dim, shape.vocab_size, build)


def program(shape: ModelShape, build: BuildConfig) -> list[Command]:
    """All commands of one scored token, in tape order: layers, then head."""
    layers = [c for layer in range(shape.n_layers) for c in layer_program(shape, build, layer)]
    return layers + head_program(shape, build)


def layer_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Tape beats of one layer."""
    return _beats(layer_program(shape, build, 0), build)


def head_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Tape beats of the head."""
    return _beats(head_program(shape, build), build)


def tape_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Beats of all tapes together."""
    return shape.n_layers * layer_beats(shape, build) + head_beats(shape, build)


def max_layer_beats(build: BuildConfig) -> int:
    """Tape beats of the longest layer that the build's maxima admit."""
    return _beats(_layer(0, build.max_dim, build.max_dim, build.max_hidden, build), build)


def max_head_beats(build: BuildConfig) -> int:
    """Tape beats of the longest head that the build's maxima admit: the depth of the head's tape memory."""
    return _beats(_head(0, build.max_dim, build.max_vocab, build), build)


def tape_depth(build: BuildConfig) -> int:
    """Depth of the tape memory of one engine, in beats."""
    return build.engine.max_layers * max_layer_beats(build)


def layer_split(n_layers: int, engines: int) -> tuple[int, int]:
    """(low, extra): every engine has `low` layers, the first `extra` ones have one more."""
    return divmod(n_layers, engines)
