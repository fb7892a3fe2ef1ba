"""Shapes and widths: the one source for RTL, golden models, weight packer and testbenches.

Two ideas, two dataclasses:

* `ModelShape`: what a checkpoint is (dim, layers, heads, ...). In hardware it is a bundle of registers, loaded by
  the boot stream.
* `BuildConfig`: what a piece of hardware can hold (maxima) and how wide it works (lanes, units, bit widths).
  Fixed at conversion.

`BuildConfig.check(shape)` refuses a shape that does not fit and names the limit and the value.
"""

from dataclasses import dataclass, fields, replace
from math import ceil, inf
from typing import TYPE_CHECKING

from llama2_myhdl.spec.constants import epsilon_term
from llama2_myhdl.spec.constants import frequencies as phase_steps
from llama2_myhdl.spec.formats import EPS_FRAC, F_BITS, F_FRAC, WEIGHT_BITS
from llama2_myhdl.spec.sampling import LIST

if TYPE_CHECKING:
    from llama2_myhdl.spec.axi import ReadMaster

MAX_ACC_BITS = 47  # times a factor of up to 2**16 it is a number of 64 bits, which the integer model counts with
MIN_DIM = 8  # elements of the residual vector: one is read again long after it was written


class ConfigError(ValueError):
    """A shape or a build parameter out of its limits; the text names the parameter, the limit and the value."""


def clog2(n: int) -> int:
    """Bits needed to count 0 .. n-1 (at least 1)."""
    return max(1, (n - 1).bit_length())


def _require(ok: bool, what: str, limit, value):
    if not ok:
        raise ConfigError(f"{what}: must be {limit}, is {value}")


@dataclass(frozen=True)
class ModelShape:
    """Shape of a LLaMA-2 checkpoint (the seven numbers of llama2.c's header, RoPE base and norm epsilon).

    rope_divisors: what a model for long contexts divides its rotary frequencies by, one a pair; none: they stay.
    """

    dim: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    vocab_size: int
    seq_len: int
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5
    rope_divisors: tuple[float, ...] = ()

    def __post_init__(self):
        for name in ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len"):
            _require(getattr(self, name) > 0, name, "at least 1", getattr(self, name))
        _require(self.dim % self.n_heads == 0, "dim", f"a multiple of n_heads = {self.n_heads}", self.dim)
        _require(
            self.n_heads % self.n_kv_heads == 0,
            "n_heads",
            f"a multiple of n_kv_heads = {self.n_kv_heads}",
            self.n_heads,
        )
        _require(self.head_dim % 2 == 0, "dim / n_heads (head size)", "even, RoPE turns pairs", self.head_dim)
        _require(1 < self.rope_theta < inf, "rope_theta", "finite and above 1", self.rope_theta)
        divisors, pairs = self.rope_divisors, self.head_dim // 2
        _require(len(divisors) in (0, pairs), "rope_divisors", f"none, or one for each of {pairs} pairs", len(divisors))
        for divisor in divisors:
            _require(1 <= divisor < inf, "rope_divisors", "finite and at least 1", divisor)
        _require(0 < self.norm_eps < 1, "norm_eps", "between 0 and 1", self.norm_eps)
        half = 2.0 ** -(EPS_FRAC + 1)  # of the last place of the register that holds the product
        _require(
            half <= self.dim * self.norm_eps < 1 - half,
            "dim * norm_eps",
            f"at least {half:.3g} and below 1 in {EPS_FRAC} fraction bits",
            self.dim * self.norm_eps,
        )

    @property
    def head_dim(self) -> int:
        return self.dim // self.n_heads

    @property
    def kv_dim(self) -> int:
        return self.head_dim * self.n_kv_heads

    @property
    def kv_mul(self) -> int:
        """Query heads that share one key/value head (GQA group size)."""
        return self.n_heads // self.n_kv_heads

    def shortened(self, context: int | None) -> "ModelShape":
        """With a context of so many positions, of those that it has; None: all of them. ConfigError."""
        if context is None:
            return self
        _require(1 <= context <= self.seq_len, "context", f"1 to the model's {self.seq_len}", context)
        return replace(self, seq_len=context)

    @property
    def eps_term(self) -> int:
        """dim * norm_eps as the register has it."""
        return epsilon_term(self.dim, self.norm_eps)

    @property
    def frequencies(self) -> list[int]:
        """Phase steps a position of the head_dim / 2 rotary pairs."""
        return phase_steps(self.head_dim, self.rope_theta, self.rope_divisors)

    def beats(self, lanes: int, classifier: bool = True) -> int:
        """Weight beats a token needs at `lanes` weights a beat: the cycle floor of one MAC array."""
        d, h = ceil(self.dim / lanes), ceil(self.hidden_dim / lanes)
        layer = (2 * self.dim + 2 * self.kv_dim + 2 * self.hidden_dim) * d + self.dim * h
        return self.n_layers * layer + classifier * self.vocab_size * d

    def macs(self, classifier: bool = True) -> int:
        """Multiply-accumulates of the matrices for one token."""
        layer = self.dim * (2 * self.dim + 2 * self.kv_dim + 3 * self.hidden_dim)
        return self.n_layers * layer + classifier * self.vocab_size * self.dim


@dataclass(frozen=True)
class BuildConfig:
    """Maxima and widths of one piece of hardware; every width in the RTL is one of these fields or properties."""

    max_dim: int
    max_hidden: int
    max_layers: int
    max_heads: int
    max_kv_heads: int
    max_head_dim: int
    max_vocab: int
    max_seq: int
    lanes: int = 64  # weights a beat, multiply-accumulates a cycle
    engines: int = 1  # layer engines of the wavefront
    sequences: int = 1  # sequences in flight, each with a key/value cache of its own
    attention_units: int = 1  # key/value heads streamed side by side
    attention_queries: int = 1  # query heads of one key/value head streamed side by side
    max_quant_lanes: int = 32  # elements a cycle out of the block quantiser, see `quant_lanes`
    min_hidden_block: int = 64  # see `hidden_block`
    weight_bits: int = WEIGHT_BITS[0]  # 16: nearer to the floats, with tapes twice as wide
    act_bits: int = 16
    key_bits: int = 16
    value_bits: int = 8
    list_entries: int = LIST  # of the sampler's list; 0: no sampler, greedy only
    weights: "ReadMaster | None" = None  # the bus to the memory that the tapes lie in; None: they are on the chip
    embedding: "ReadMaster | None" = None  # the same of the embedding's rows
    cache: "ReadMaster | None" = None  # the same of the key/value caches

    def __post_init__(self):
        for f in fields(self):
            if f.name not in ("list_entries", "weights", "embedding", "cache"):
                _require(getattr(self, f.name) > 0, f.name, "at least 1", getattr(self, f.name))
        _require(
            self.list_entries == 0 or 2 <= self.list_entries <= LIST,
            "list_entries",
            f"0 (no sampler) or 2 to {LIST}",
            self.list_entries,
        )
        _require(
            self.lanes >= 4 and self.lanes & (self.lanes - 1) == 0, "lanes", "a power of two, at least 4", self.lanes
        )
        for name in ("max_quant_lanes", "min_hidden_block"):
            value = getattr(self, name)
            _require(value >= 2 and value & (value - 1) == 0, name, "a power of two, at least 2", value)
        _require(self.engines <= self.max_layers, "engines", f"at most max_layers = {self.max_layers}", self.engines)
        _require(
            self.attention_units <= self.max_kv_heads,
            "attention_units",
            f"at most max_kv_heads = {self.max_kv_heads}",
            self.attention_units,
        )
        _require(
            self.attention_queries <= self.max_heads,
            "attention_queries",
            f"at most max_heads = {self.max_heads}",
            self.attention_queries,
        )
        _require(self.sequences & (self.sequences - 1) == 0, "sequences", "a power of two", self.sequences)
        _require(self.act_bits in (8, 16), "act_bits", "8 or 16", self.act_bits)
        _require(
            self.key_bits == self.act_bits,
            "key_bits",
            f"act_bits = {self.act_bits} (one head quantiser)",
            self.key_bits,
        )
        _require(self.value_bits == 8, "value_bits", "8", self.value_bits)
        _require(self.weight_bits in WEIGHT_BITS, "weight_bits", "8 or 16", self.weight_bits)
        _require(
            self.acc_bits <= MAX_ACC_BITS,
            "weight_bits",
            f"8 with rows of {self.max_cols} columns, whose sums must have at most {MAX_ACC_BITS} bits",
            self.weight_bits,
        )
        _require(self.max_dim >= MIN_DIM, "max_dim", f"at least {MIN_DIM}", self.max_dim)
        _require(self.max_seq & (self.max_seq - 1) == 0, "max_seq", "a power of two", self.max_seq)
        for bus in self.buses:
            bus.check_beat(self.beat_bits)
        if self.cache is not None:
            self.cache.check_cache(self)

    def check(self, shape: ModelShape) -> None:
        """Raise ConfigError, naming the limit and the value, when `shape` does not fit this build."""
        _require(shape.dim >= MIN_DIM, "model dim", f"at least {MIN_DIM}", shape.dim)
        _require(
            shape.n_layers >= self.engines, "model n_layers", f"at least engines = {self.engines}", shape.n_layers
        )
        for what, limit, value in (
            ("dim", self.max_dim, shape.dim),
            ("hidden_dim", self.max_hidden, shape.hidden_dim),
            ("n_layers", self.max_layers, shape.n_layers),
            ("n_heads", self.max_heads, shape.n_heads),
            ("n_kv_heads", self.max_kv_heads, shape.n_kv_heads),
            ("head size", self.max_head_dim, shape.head_dim),
            ("vocab_size", self.max_vocab, shape.vocab_size),
            ("seq_len", self.max_seq, shape.seq_len),
        ):
            _require(value <= limit, f"model {what}", f"at most {limit} in this build", value)

    @property
    def buses(self) -> "tuple[ReadMaster, ...]":
        """Of what is read of a model in memory; none: all of it is on the chip."""
        return tuple(bus for bus in (self.weights, self.embedding) if bus is not None)

    # --- widths ---
    @property
    def f_bits(self) -> int:
        """F, of residual, projections and attention output."""
        return F_BITS

    @property
    def f_frac(self) -> int:
        return F_FRAC

    @property
    def max_kv_dim(self) -> int:
        """Rows of the largest key or value matrix."""
        return min(self.max_dim, self.max_kv_heads * self.max_head_dim)

    @property
    def max_cols(self) -> int:
        return max(self.max_dim, self.max_hidden)

    @property
    def acc_bits(self) -> int:
        """Accumulator that cannot overflow: weight_bits + act_bits + ceil(log2(columns))."""
        return self.weight_bits + self.act_bits + clog2(self.max_cols)

    @property
    def exp_bits(self) -> int:
        """Signed exponent on the tape: as wide as a weight, in whose place it stands; values are kept within 7 bits."""
        return self.weight_bits

    @property
    def beat_bits(self) -> int:
        """One tape beat."""
        return self.lanes * self.weight_bits

    @property
    def beat_bytes(self) -> int:
        """The same in bytes."""
        return self.beat_bits // 8

    @property
    def act_word_bits(self) -> int:
        """One word of the activation buffer: the mantissas that meet one weight beat."""
        return self.lanes * self.act_bits

    @property
    def pos_bits(self) -> int:
        return clog2(self.max_seq)

    @property
    def seq_bits(self) -> int:
        return clog2(self.sequences)

    @property
    def quant_lanes(self) -> int:
        """Elements a cycle out of the block quantiser: never more than a word of the activation vector."""
        return min(self.max_quant_lanes, self.lanes)

    @property
    def hidden_block(self) -> int:
        """Elements of the hidden vector that share an exponent, whole beats: W2 starts on the first block while
        W1 and W3 still make the last one."""
        return max(self.min_hidden_block, self.lanes)

    @property
    def block_beats(self) -> int:
        """Beats of a W2 row over one block of the hidden vector."""
        return self.hidden_block // self.lanes

    @property
    def engine(self) -> "BuildConfig":
        """The build of one layer engine: as many layers as the largest share of max_layers."""
        return replace(self, max_layers=ceil(self.max_layers / self.engines), engines=1)

    @property
    def token_bits(self) -> int:
        """One bit more than the vocabulary needs, so that a token out of range can be seen to be one."""
        return clog2(self.max_vocab) + 1

    @property
    def p_frac(self) -> int:
        """Fraction bits of a softmax weight; guard bits grow with log2(context)."""
        return max(16, clog2(self.max_seq) + 7)

    @property
    def score_bits(self) -> int:
        """Base-2 attention score, signed 12.8."""
        return 20

    @property
    def dim_beats(self) -> int:
        """Beats of the longest row of `max_dim` columns."""
        return ceil(self.max_dim / self.lanes)

    @property
    def hidden_beats(self) -> int:
        return ceil(self.max_hidden / self.lanes)

    @property
    def max_row_beats(self) -> int:
        return ceil(self.max_cols / self.lanes)

    @property
    def max_rows(self) -> int:
        """Longest matrix, counted in rows (W1 and W3 are interleaved)."""
        return max(self.max_vocab, 2 * self.max_hidden, self.max_dim)
