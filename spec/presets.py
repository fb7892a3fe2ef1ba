"""Named configurations: a model's shape and a build that holds it, and how to change one."""

from dataclasses import dataclass, replace

from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.config import BuildConfig, ConfigError, ModelShape, clog2


@dataclass(frozen=True)
class Preset:
    """A named configuration: a model's shape and a build that holds it."""

    shape: ModelShape
    build: BuildConfig


def build_for(shape: ModelShape, **options) -> BuildConfig:
    """The smallest build for one shape (context rounded up to a power of two)."""
    return BuildConfig(
        max_dim=shape.dim,
        max_hidden=shape.hidden_dim,
        max_layers=shape.n_layers,
        max_heads=shape.n_heads,
        max_kv_heads=shape.n_kv_heads,
        max_head_dim=shape.head_dim,
        max_vocab=shape.vocab_size,
        max_seq=1 << clog2(shape.seq_len),
        **options,
    )


_SHAPES = {
    "nano": ModelShape(16, 24, 2, 4, 2, 32, 16),
    "stories260K": ModelShape(64, 172, 5, 8, 4, 512, 512),
    "stories15M": ModelShape(288, 768, 6, 6, 6, 32000, 256),
    "stories42M": ModelShape(512, 1376, 8, 8, 8, 32000, 1024),
    "stories110M": ModelShape(768, 2048, 12, 12, 12, 32000, 1024),
    "tinyllama-1.1B": ModelShape(2048, 5632, 22, 32, 4, 32000, 2048),
    "llama2-7B": ModelShape(4096, 11008, 32, 32, 32, 32000, 4096),
    "llama3-8B": ModelShape(4096, 14336, 32, 32, 8, 128256, 8192, rope_theta=500000.0),
    "llama2-70B": ModelShape(8192, 28672, 80, 64, 8, 32000, 4096),
    "SmolLM2-135M": ModelShape(576, 1536, 30, 9, 3, 49152, 64, rope_theta=100000.0),
    "shipped": ModelShape(64, 160, 4, 4, 2, 512, 256),  # weights/default
}

_OF_THEIR_OWN = ("nano", "shipped", "SmolLM2-135M")  # their builds have other names or parameters
PRESETS = {name: Preset(shape, build_for(shape)) for name, shape in _SHAPES.items() if name not in _OF_THEIR_OWN}
# Every head side by side: attention of one position takes as long as its longest head.
PRESETS["stories260K"] = Preset(
    _SHAPES["stories260K"], build_for(_SHAPES["stories260K"], attention_units=4, attention_queries=2)
)
PRESETS["nano"] = Preset(_SHAPES["nano"], build_for(_SHAPES["nano"], lanes=4, min_hidden_block=8, list_entries=8))


def in_memory(data_bits: int, **sizes) -> dict[str, ReadMaster]:
    """Parameters of a build with tapes and embedding in memory, each behind buses of so many bits; sizes: of the tapes'
    `ReadMaster`. Few rows are asked for at once, so their queue is short."""
    weights = ReadMaster(data_bits=data_bits, **sizes)
    return dict(weights=weights, embedding=replace(weights, burst=16, depth=32, outstanding=4))


# Tapes and embedding in memory behind a bus.
PRESETS["nano-bus"] = Preset(_SHAPES["nano"], replace(PRESETS["nano"].build, **in_memory(64, burst=16, depth=64)))
# The key/value cache there too: one that is simulated, and one whose head alone has 9 MB.
PRESETS["nano-kv"] = Preset(
    _SHAPES["nano"], replace(PRESETS["nano-bus"].build, cache=ReadMaster(data_bits=64, burst=16, depth=64))
)
PRESETS["stories15M-bus"] = Preset(
    _SHAPES["stories15M"],
    build_for(_SHAPES["stories15M"], lanes=16, **in_memory(128), cache=ReadMaster(data_bits=128)),
)
# The large ones in whole beats of 512 bits, with their keys and values in memory at the model's whole context.
PRESETS |= {
    f"{name}-bus": Preset(
        _SHAPES[name], build_for(_SHAPES[name], lanes=64, **in_memory(512), cache=ReadMaster(data_bits=512))
    )
    for name in ("llama2-7B", "llama3-8B", "llama2-70B")
}
# A model that people use, with a short context: `make generate CONFIG=SmolLM2-135M-bus CONTEXT=64 MODEL=..`.
PRESETS["SmolLM2-135M-bus"] = Preset(
    _SHAPES["SmolLM2-135M"],
    build_for(_SHAPES["SmolLM2-135M"], attention_queries=3, **in_memory(512, depth=256)),
)
# One build for both the shipped model and stories260K, with room for other head ratios.
PRESETS["default"] = Preset(
    _SHAPES["stories260K"],
    BuildConfig(
        max_dim=64,
        max_hidden=192,
        max_layers=6,
        max_heads=8,
        max_kv_heads=8,
        max_head_dim=16,
        max_vocab=512,
        max_seq=512,
        attention_units=4,
        attention_queries=2,
    ),
)

# An ECP5-85F: its block RAMs are full when more than half of its look-up tables are free, so the lanes are many.
ECP5_85F = dict(lanes=64, attention_units=1, attention_queries=2, max_quant_lanes=8, list_entries=0)
_HALF_CONTEXT = replace(_SHAPES["stories260K"], seq_len=256)  # what the device's block RAMs hold
PRESETS["ecp5-85f"] = Preset(_HALF_CONTEXT, build_for(_HALF_CONTEXT, **ECP5_85F))
# The shipped model on a board with that device.
PRESETS["ulx3s"] = Preset(_SHAPES["shipped"], build_for(_SHAPES["shipped"], **ECP5_85F))
# One that is synthesized, and told a story by as a netlist, in minutes.
_SMALL = ModelShape(64, 128, 2, 4, 4, 128, 16)
PRESETS["small"] = Preset(_SMALL, build_for(_SMALL, lanes=16, max_quant_lanes=4, list_entries=0))
# As the default build, with tapes and embedding in memory: a beat of 64 weights is a beat of the bus.
PRESETS["default-bus"] = Preset(_SHAPES["stories260K"], replace(PRESETS["default"].build, **in_memory(512, depth=256)))


def preset(name: str) -> Preset:
    """Look up a preset; ConfigError lists the known names."""
    if name not in PRESETS:
        raise ConfigError(f"configuration {name!r}: must be one of {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


AUTO = "auto"  # in place of a preset's name: the smallest build that holds the model


def fitting(shape: ModelShape, in_memory: bool = False) -> list[str]:
    """Names of the presets whose build holds a model, on the chip or in memory."""

    def fits(build: BuildConfig) -> bool:
        try:
            build.check(shape)
        except ConfigError:
            return False
        return True

    return [name for name, known in PRESETS.items() if bool(known.build.buses) == in_memory and fits(known.build)]


def build_of(config: str, **changes) -> BuildConfig:
    """A preset's build with other parameters; those that are None stay. ConfigError when it is not a possible one."""
    return replace(preset(config).build, **_given(changes))


def _given(changes: dict) -> dict:
    return {name: value for name, value in changes.items() if value is not None}


def build_that_holds(shape: ModelShape, config: str = AUTO, **changes) -> BuildConfig:
    """As `build_of`, or the smallest build for the model; ConfigError also names those that hold a model too large."""
    if config == AUTO:
        build = build_for(shape, **_given(changes))
    else:
        build = build_of(config, **changes)
    try:
        build.check(shape)
    except ConfigError as error:
        if config == AUTO:
            raise
        names = ", ".join(fitting(shape, True) if build.buses else [AUTO, *fitting(shape)])
        raise ConfigError(f"{error}; configurations that hold the model: {names}") from error
    return build
