"""Registers of the boot stream: names, order, rules and limits, for the packer, the RTL and the testbenches.

A boot image is a sequence of tape beats (LANES weights each):

    one beat a register (little-endian 32 bits in the low bytes), in the order of REGISTERS
    one beat a RoPE frequency (32 bits), `pairs` of them
    the embedding: for each token one beat with the exponent (lane 0), then `dim_beats` beats of mantissas
    the tapes: `layer_beats` beats a layer, then `head_beats` beats
    where a build reads both from memory: as many beats as have a lane for each engine, the first one with a CRC-32 of
        the weights, by which images are told apart, else zeros
    one beat with the checksum of all beats before it: rotate left by one, then XOR the beat's words, for every beat

Embedding and tapes are not in it where a build reads them from memory. What is in it between frequencies and checksum
are `payload_beats` beats, one or more.

No register of the image follows from others, so none can contradict another: what follows from them (`rules`) the
loader computes (`rtl/boot/derive.py`). The shape is given by its factors (dim is 2 * pairs * kv_mul * n_kv_heads), so
there is nothing to divide and no remainder to refuse.
"""

from dataclasses import dataclass

from llama2_myhdl.spec.config import MIN_DIM, BuildConfig, ModelShape
from llama2_myhdl.spec.formats import GAIN_BITS
from llama2_myhdl.spec.program import layer_split
from llama2_myhdl.spec.stops import STOP_IDS, stop_registers

MAGIC = 0x544D324C  # "L2MT"
VERSIONS = {8: 3, 16: 4}  # of the image, by the bits of a weight
WORD = 32

REGISTERS = (
    "magic",
    "version",
    "lanes",
    "hidden_block",
    "engines",
    "pairs",
    "kv_mul",
    "n_kv_heads",
    "hidden_dim",
    "vocab_size",
    "seq_len",
    "layers_low",
    "layers_extra",
    "eps_term",
    "stop_a",
    "stop_b",
)
KIND = REGISTERS[: REGISTERS.index("pairs")]  # what kind of image it is; the others are the model's


@dataclass(frozen=True)
class Rule:
    """How a register follows from registers before it: the sum of the terms and `offset`, over 2**shift.

    A term is one register, or two to be multiplied.
    """

    terms: tuple[tuple[str, ...], ...]
    offset: int = 0
    shift: int = 0

    def total(self, values: dict[str, int]) -> int:
        """The sum, ahead of the shift."""
        return self.offset + sum(values[term[0]] * (values[term[1]] if len(term) == 2 else 1) for term in self.terms)

    def value(self, values: dict[str, int]) -> int:
        return self.total(values) >> self.shift


def _groups(name: str, size: int, times: int = 1) -> Rule:
    """Groups of `size`, a power of two, that `times` times a register fill, the last one maybe in part."""
    return Rule(((name,),) * times, size - 1, size.bit_length() - 1)


def rules(build: BuildConfig) -> dict[str, Rule]:
    """The registers that follow from those of the image, in the order in which they are computed.

    The beats of layer and head are those of `spec/program.py`, a line a command here.
    """
    lanes = build.lanes
    layer = (
        *(("kv_dim", "dim_beats"), ("kv_groups",)),  # KEY
        *(("dim", "dim_beats"), ("dim_beats",)),  # QUERY: its groups of rows are as many as the beats of a row
        *(("kv_dim", "dim_beats"), ("kv_groups",)),  # VALUE
        ("gain_beats",),
        *(("dim", "dim_beats"), ("dim_beats",)),  # OUT
        ("gain_beats",),
        *(("hidden_dim", "dim_beats"), ("hidden_dim", "dim_beats"), ("gate_groups",)),  # GATE_UP
        *(("dim", "hidden_beats"), ("dim_beats", "hidden_blocks")),  # PARTIAL .. DOWN
    )
    classifier = ("vocab_size", "dim_beats")
    embedding = () if build.embedding else (("vocab_size",), classifier)
    on_chip = () if build.weights else (("layer_beats", "n_layers"), ("head_beats",))
    payload = Rule((*embedding, *on_chip)) if embedding or on_chip else _groups("engines", lanes)
    return dict(
        head_dim=Rule((("pairs",), ("pairs",))),
        n_heads=Rule((("n_kv_heads", "kv_mul"),)),
        kv_dim=Rule((("head_dim", "n_kv_heads"),)),
        dim=Rule((("kv_dim", "kv_mul"),)),
        n_layers=Rule((("layers_low", "engines"), ("layers_extra",))),
        dim_beats=_groups("dim", lanes),
        hidden_beats=_groups("hidden_dim", lanes),
        hidden_blocks=_groups("hidden_beats", build.block_beats),
        gain_beats=_groups("dim", lanes, times=GAIN_BITS // build.weight_bits),
        kv_groups=_groups("kv_dim", lanes),
        gate_groups=_groups("hidden_dim", lanes, times=2),
        vocab_groups=_groups("vocab_size", lanes),
        layer_beats=Rule(layer, offset=2),  # exponents of the two gains
        head_beats=Rule((("gain_beats",), classifier, ("vocab_groups",)), offset=1),
        payload_beats=payload,
    )


def register_values(shape: ModelShape, build: BuildConfig, stops=STOP_IDS) -> dict[str, int]:
    """Contents of every register for a model; `stops`: token ids that end a story, of which the first two count.

    layers_low: layers of every engine; the first layers_extra engines have one more.
    """
    low, extra = layer_split(shape.n_layers, build.engines)
    stop_a, stop_b = stop_registers(stops, shape.vocab_size)
    values = dict(
        magic=MAGIC,
        version=VERSIONS[build.weight_bits],
        lanes=build.lanes,
        hidden_block=build.hidden_block,
        engines=build.engines,
        pairs=shape.head_dim // 2,
        kv_mul=shape.kv_mul,
        n_kv_heads=shape.n_kv_heads,
        hidden_dim=shape.hidden_dim,
        vocab_size=shape.vocab_size,
        seq_len=shape.seq_len,
        layers_low=low,
        layers_extra=extra,
        eps_term=shape.eps_term,
        stop_a=stop_a,
        stop_b=stop_b,
    )
    for name, rule in rules(build).items():
        values[name] = rule.value(values)
    return values


def register_limits(build: BuildConfig) -> dict[str, tuple[int, int]]:
    """Smallest and largest value of every register that this build accepts.

    Of those that follow from others only n_heads, kv_dim, dim and n_layers can be beyond it while the image's own are
    not; for the rest it is what the largest registers give, which is what their width must hold.
    """
    token = (1 << build.token_bits) - 1
    limits = dict(
        magic=(MAGIC, MAGIC),
        version=(VERSIONS[build.weight_bits],) * 2,
        lanes=(build.lanes, build.lanes),
        hidden_block=(build.hidden_block, build.hidden_block),
        engines=(build.engines, build.engines),
        pairs=(1, build.max_head_dim // 2),
        kv_mul=(1, build.max_heads),
        n_kv_heads=(1, build.max_kv_heads),
        hidden_dim=(1, build.max_hidden),
        vocab_size=(1, build.max_vocab),
        seq_len=(1, build.max_seq),
        layers_low=(1, build.engine.max_layers),
        layers_extra=(0, build.engines - 1),
        eps_term=(1, (1 << WORD) - 1),
        stop_a=(0, token),
        stop_b=(0, token),
        n_heads=(1, build.max_heads),
        kv_dim=(2, build.max_kv_dim),
        dim=(MIN_DIM, build.max_dim),
        n_layers=(build.engines, build.max_layers),
    )
    for name, rule in rules(build).items():
        limits.setdefault(name, (0, rule.value({known: high for known, (_, high) in limits.items()})))
    return limits
