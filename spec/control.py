"""The registers of the IP block, as `control.rdl` describes them: for the hardware, the driver and the testbenches.

    REGISTERS["error"].address               # in bytes
    REGISTERS["error"].fields["code"]        # Field(low=0, bits=8, reset=0)

The description in SystemRDL is the only one: it is compiled whenever this module is loaded, which takes half a second,
so there is no table here that could say anything else.
"""

from pathlib import Path

from systemrdl import RDLCompiler
from systemrdl.node import RegNode

from llama2_myhdl.spec.axi import ReadMaster
from llama2_myhdl.spec.cache import cache_count, layout
from llama2_myhdl.spec.config import BuildConfig, ConfigError
from llama2_myhdl.spec.register import Field, Register

RDL = Path(__file__).with_name("control.rdl")
WORD_BYTES, WORD_BITS = 4, 32

PROMPT_DEPTH, TOKEN_DEPTH = 16, 64  # of the mailboxes
BOOT_BUS = ReadMaster(data_bits=64, burst=16, depth=64, outstanding=4)  # of builds with their weights on the chip


def compiled():
    """The description, compiled by systemrdl-compiler: its root node."""
    compiler = RDLCompiler()
    compiler.compile_file(str(RDL))
    return compiler.elaborate()


def _register(node: RegNode) -> Register:
    fields = {f.inst_name: Field(f.low, f.width, f.get_property("reset") or 0) for f in node.fields()}
    return Register(
        name=node.get_rel_path(node.owning_addrmap),
        address=node.absolute_address,
        fields=fields,
        readable=node.has_sw_readable,
        writable=node.has_sw_writable,
        lock=node.get_property("lock", default=None),
        sampler=bool(node.get_property("sampler", default=False)),
    )


def _registers() -> dict[str, Register]:
    nodes = compiled().top.descendants(unroll=True)
    found = [_register(node) for node in nodes if isinstance(node, RegNode)]
    return {register.name: register for register in found}


REGISTERS = _registers()
INDEX_BITS = (max(r.address for r in REGISTERS.values()) // WORD_BYTES).bit_length()  # of a register's number
ADDRESS_BITS = 12  # of the AXI4-Lite port: a page, as systems map it
PAGE_BYTES = 4096  # of `cache.pages`
PLACES = sum(name.startswith("tape[") for name in REGISTERS) // 2


def boot_bus(build: BuildConfig) -> ReadMaster:
    """The bus that the boot image of a build is read over: that of its tapes, if they lie in memory."""
    return build.weights or BOOT_BUS


def tape_count(build: BuildConfig) -> int:
    """Parts of a model that a build reads from memory, as registers have them: tapes, then the embedding's rows."""
    return (build.engines + 1 if build.weights else 0) + bool(build.embedding)


def place_buses(build: BuildConfig) -> list[ReadMaster]:
    """The bus of each address that registers hold: of the parts of a model, then of each engine's keys and values.

    ConfigError when there are more than registers.
    """
    tapes = tape_count(build) - bool(build.embedding)
    buses = [build.weights] * tapes + [build.embedding] * bool(build.embedding)
    buses += [build.cache] * cache_count(build)
    if len(buses) > PLACES:
        raise ConfigError(f"addresses in memory: must be at most {PLACES} by their registers, are {len(buses)}")
    return buses


def cache_pages(build: BuildConfig) -> int:
    """Pages that the keys and values of an engine need in memory; 0: they are on the chip."""
    return -(-layout(build).bytes // PAGE_BYTES) if build.cache else 0


def _high(bus: ReadMaster) -> int:
    """The bits that the high half of an address has."""
    return (1 << max(0, bus.address_bits - WORD_BITS)) - 1


def _place(register: Register) -> int:
    """Of an address's register: which one it is."""
    return int(register.name[len("tape[") :].partition("]")[0])


def allowed(register: Register, build: BuildConfig) -> int:
    """The bits that may be written to a register in a build; 0 also where nothing may."""
    position = (1 << build.pos_bits + 1) - 1
    token = (1 << build.token_bits) - 1
    narrow = dict(slot=build.sequences - 1, steps=position, new_tokens=position, target=token)
    narrow["image_high"] = _high(boot_bus(build))
    if register.name == "mode" and not build.list_entries:
        return register.mask & ~register.fields["logprobs"].mask
    if register.name == "prompt":
        return register.fields["last"].mask | token
    if register.name.startswith("stop["):
        return token
    if register.name.startswith("tape[") and register.name.endswith("high"):
        return _high(place_buses(build)[_place(register)])
    return register.mask & narrow.get(register.name, register.mask)


def in_build(register: Register, build: BuildConfig) -> bool:
    """Whether a build has the register."""
    if register.name.startswith("tape["):
        return _place(register) < len(place_buses(build))
    return bool(build.list_entries) or not register.sampler
