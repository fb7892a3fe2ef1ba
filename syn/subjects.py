"""What is synthesized: a block that the flows know by name, or the whole decoder of a configuration, in its wrapper.

The wrapper registers all ports (syn/wrapper.py), so one netlist serves the counts, the paths and the routing; its own
cells are told from the design's by the instance they are in.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.hdl.progress import Progress, silent
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.sim.build import converted
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.presets import build_of
from llama2_myhdl.syn import blocks, wrapper
from llama2_myhdl.syn.instances import Tree, tree

ROOT = GENERATED / "syn"
# option: field of BuildConfig
CHANGES = {"lanes": "lanes", "engines": "engines", "context": "max_seq", "weight_bits": "weight_bits"}


@dataclass(frozen=True)
class Subject:
    """name: of its folder and its figures; what: for people; block, arguments: what is converted."""

    name: str
    what: str
    block: object
    arguments: dict


@dataclass(frozen=True)
class Sources:
    """Verilog in a folder: the files, children first, the wrapper last; its top; a digest of all of it."""

    folder: Path
    files: tuple[str, ...]
    top: str
    digest: str

    @property
    def tree(self) -> Tree:
        return tree({file: (self.folder / file).read_text() for file in self.files}, self.top)


def build_with(config: str, **changes: int | None) -> BuildConfig:
    """The build of a preset with other values of CHANGES; ConfigError when it is not a possible one."""
    return build_of(config, **{CHANGES[name]: value for name, value in changes.items()})


def of_config(config: str, **changes: int | None) -> Subject:
    """The decoder of a preset, with other values of CHANGES where they are given. Raises ConfigError."""
    build = build_with(config, **changes)
    given = [f"{name}{value}" for name, value in changes.items() if value is not None]
    return Subject("-".join([config, *given]), f"decoder of {config}", decoder, ports(build))


def of_block(name: str) -> Subject:
    """A block of syn/blocks.py. Raises UnknownBlock."""
    block, arguments = blocks.block_of(name)
    return Subject(name, f"block {name}", block, arguments)


def write_sources(subject: Subject, folder: Path, say: Progress = silent) -> Sources:
    """The subject's Verilog and its wrapper in `folder`; files that are the same stay as they are."""
    modules = converted(subject.block, subject.arguments, say)
    top = modules[-1].name
    texts = {module.file.name: module.file.read_bytes() for module in modules}
    found = wrapper.ports(texts[f"{top}.v"].decode(), top)
    wrapped = f"{top}_wrapped"
    texts[f"{wrapped}.v"] = wrapper.wrap(top, found, wrapped).encode()
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    for name, text in texts.items():
        digest.update(name.encode() + b"\0" + text)
        if not (folder / name).is_file() or (folder / name).read_bytes() != text:
            write_whole(folder / name, [text])
    return Sources(folder, tuple(texts), wrapped, digest.hexdigest()[:16])
