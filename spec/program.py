"""The order of work on one token: the commands to the matvec, and with them the layout of the weight tapes.

The packer writes the tapes in this order, `rtl/layer/schedule.py` emits these commands, and a test holds the two
together.

For an engine  GAIN(att of its first layer), then for every layer
KEY QUERY VALUE GAIN(ffn) OUT GAIN(next) GATE_UP PARTIAL .. DOWN;  and for the head  LOGITS.

* Gains stand in the two drains of a layer, ahead of the rows that they scale. GAIN(next) is that of the next layer, or
  the final norm's, from the head's tape, or none at all.
* The value rows come last of the three because their way to the attention output is the shortest: no RoPE, no score.
* W2 is cut into blocks of `hidden_block` columns, each a matrix of its own over a vector of its own: the first ones
  run while the last elements of the hidden vector are still being made.
"""

from dataclasses import dataclass
from math import ceil

from llama2_myhdl.spec.config import BuildConfig, ModelShape
from llama2_myhdl.spec.formats import GAIN_BITS
from llama2_myhdl.spec.kinds import DOWN, GAIN, GATE_UP, KEY, LOGITS, OUT, PARTIAL, QUERY, VALUE


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


def gain_beats(dim: int, build: BuildConfig) -> int:
    """Beats of one vector of norm gains, without its exponent beat."""
    return ceil(dim * GAIN_BITS / build.beat_bits)


def _down(layer: int, dim: int, hidden: int, build: BuildConfig) -> list[Command]:
    blocks = range(0, hidden, build.hidden_block)
    partial = [Command(PARTIAL, layer, dim, build.block_beats, True, block) for block in blocks[:-1]]
    last = Command(DOWN, layer, dim, ceil((hidden - blocks[-1]) / build.lanes), True, blocks[-1])
    return [*partial, last]


def _gain(layer: int, dim: int, build: BuildConfig, head: bool = False) -> Command:
    return Command(GAIN, layer, 0, 1 + gain_beats(dim, build), False, head=head)


def _layer(layer: int, dim: int, kv_dim: int, hidden: int, build: BuildConfig, following: list[Command]):
    """Commands of one layer; `following`: the gains for the vector that it makes, or none."""
    d = ceil(dim / build.lanes)
    return [
        Command(KEY, layer, kv_dim, d, False),
        Command(QUERY, layer, dim, d, False),
        Command(VALUE, layer, kv_dim, d, True),
        _gain(layer, dim, build),
        Command(OUT, layer, dim, d, True),
        *following,
        Command(GATE_UP, layer, 2 * hidden, d, True),
        *_down(layer, dim, hidden, build),
    ]


def _head(layer: int, dim: int, vocab: int, build: BuildConfig) -> list[Command]:
    logits = Command(LOGITS, layer, vocab, ceil(dim / build.lanes), True, head=True)
    return [_gain(layer, dim, build, head=True), logits]


def _beats(commands: list[Command], build: BuildConfig) -> int:
    return sum(c.tape_beats(build.lanes) for c in commands)


def engine_program(shape: ModelShape, build: BuildConfig, first: int, layers: int, head: bool) -> list[Command]:
    """The commands of a token in an engine with the layers `first` .. and, if `head`, the classifier behind them.

    Without layers it is the head alone.
    """
    final, logits = _head(shape.n_layers, shape.dim, shape.vocab_size, build)
    if not layers:
        return [final, logits]
    commands = [_gain(first, shape.dim, build)]
    for layer in range(first, first + layers):
        last = layer == first + layers - 1
        following = ([final] if head else []) if last else [_gain(layer + 1, shape.dim, build)]
        commands += _layer(layer, shape.dim, shape.kv_dim, shape.hidden_dim, build, following)
    return [*commands, logits] if head else commands


def layer_split(n_layers: int, engines: int) -> tuple[int, int]:
    """(low, extra): every engine has `low` layers, the first `extra` ones have one more."""
    return divmod(n_layers, engines)


def tapes(shape: ModelShape, build: BuildConfig) -> list[Command]:
    """What stands on the tapes, one behind the other: those of the engines, then that of the head."""
    low, extra = layer_split(shape.n_layers, build.engines)
    commands, first = [], 0
    for engine in range(build.engines):
        layers = low + (engine < extra)
        commands += engine_program(shape, build, first, layers, head=False)
        first += layers
    return commands + engine_program(shape, build, shape.n_layers, 0, head=True)


def layer_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Tape beats of one layer."""
    return _beats(engine_program(shape, build, 0, 1, head=False), build)


def head_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Tape beats of the head."""
    return _beats(engine_program(shape, build, 0, 0, head=True), build)


def tape_beats(shape: ModelShape, build: BuildConfig) -> int:
    """Beats of all tapes together."""
    return _beats(tapes(shape, build), build)


def max_layer_beats(build: BuildConfig) -> int:
    """Tape beats of the longest layer that the build's maxima admit."""
    gain = _gain(0, build.max_dim, build)
    return _beats([gain, *_layer(0, build.max_dim, build.max_kv_dim, build.max_hidden, build, [])], build)


def max_head_beats(build: BuildConfig) -> int:
    """Tape beats of the longest head that the build's maxima admit: the depth of the head's tape memory."""
    return _beats(_head(0, build.max_dim, build.max_vocab, build), build)


def tape_depth(build: BuildConfig) -> int:
    """Depth of the tape memory of one engine, in beats."""
    return build.engine.max_layers * max_layer_beats(build)
