"""A proof: a block, what is bound to it, and how far it goes; and carrying it out."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llama2_myhdl.base.files import write_whole
from llama2_myhdl.base.folders import GENERATED
from llama2_myhdl.formal import bind, solver
from llama2_myhdl.formal.solver import Answer
from llama2_myhdl.hdl.hierarchy import ModuleFile
from llama2_myhdl.sim.build import converted

ROOT = GENERATED / "formal"


Given = Callable[[], tuple[object, dict]]  # an @hblock and its arguments, made when they are wanted


def block_of(module, **arguments) -> Given:
    """The block that has the name of its module, and what the module's `ports` makes of the arguments; one that can be
    called is, each time, for Signals must be fresh."""
    name = module.__name__.rpartition(".")[2]

    def give():
        given = {key: value() if callable(value) else value for key, value in arguments.items()}
        return getattr(module, name), module.ports(**given)

    return give


@dataclass(frozen=True)
class Proof:
    """What is proved of a block.

    name: of the proof; block: what is proved; sets: files of `formal/properties/` by
    the block that they are bound to, that of the top last; constants: values that they take, by the block; depth:
    cycles from reset of the base case; induction: cycles of the step, 0: the proof is bounded by its depth; cover:
    cycles within which every `cover` is reached; only_properties: what no property looks at is left out; free:
    blocks inside whose outputs may be anything, so that what is proved does not rest on them.
    """

    name: str
    block: Given
    sets: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    depth: int = 12
    induction: int = 0
    cover: int = 16
    only_properties: bool = False
    free: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        """Name of the block that is proved."""
        return list(self.sets)[-1]

    @property
    def mode(self) -> str:
        return f"induction {self.induction}" if self.induction else "bounded"


@dataclass(frozen=True)
class Fault:
    """A planted fault: in the Verilog of a block, a text that stands there once is replaced."""

    block: str
    text: str
    instead: str


@dataclass(frozen=True)
class Result:
    """proof; answers: to each question that was asked, the last one may have failed; seconds: on the wall."""

    proof: Proof
    folder: Path
    answers: tuple[Answer, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return all(answer.passed for answer in self.answers)

    @property
    def failure(self) -> Answer | None:
        return next((answer for answer in self.answers if not answer.passed), None)


def planted(text: str, fault: Fault) -> str:
    """A block's Verilog with the fault; ValueError when it does not say where."""
    if (count := text.count(fault.text)) != 1:
        raise ValueError(f"{fault.block}: a fault's text stands there once, not {count} times: {fault.text!r}")
    return text.replace(fault.text, fault.instead)


def verilog(proof: Proof, modules: list[ModuleFile], fault: Fault | None = None) -> dict[str, str]:
    """Texts of all files by name, children first: the converted Verilog with its properties, and a fault if given."""
    top, texts = modules[-1], {}
    known = {module.block for module in modules}
    if strange := [name for name in (*proof.sets, *([fault.block] if fault else [])) if name not in known]:
        raise ValueError(f"{proof.name}: there is no block {strange[0]} in it")
    for module in modules:
        text = module.file.read_text()
        if fault and fault.block == module.block:
            text = planted(text, fault)
        sets = (bind.EVERYWHERE,) if module.block == bind.EVERYWHERE else proof.sets.get(module.block, ())
        if sets:
            constants = proof.constants.get(module.block, {})
            text = bind.bound(text, bind.properties(sets, constants, alone=module is top))
        texts[module.file.name] = text
    return texts


def prove(proof: Proof, fault: Fault | None = None, folder: Path | None = None) -> Result:
    """Carry the proof out in `folder` (sim_build/formal/NAME); asks until an answer is no. Raises ToolError."""
    began = time.monotonic()
    folder = folder or ROOT / proof.name
    folder.mkdir(parents=True, exist_ok=True)
    block, arguments = proof.block()
    modules = converted(block, arguments)
    texts = verilog(proof, modules, fault)
    for name, text in texts.items():
        write_whole(folder / name, [text.encode()])
    solver.prepare(folder, list(texts), modules[-1].name, proof.only_properties, proof.free)
    questions = [(solver.BASE, proof.depth)]
    questions += [(solver.INDUCTION, proof.induction)] if proof.induction else []
    questions += [(solver.COVER, proof.cover)]
    answers = []
    for question, depth in questions:
        answers.append(solver.ask(folder, question, depth))
        if not answers[-1].passed:
            break
    return Result(proof, folder, tuple(answers), time.monotonic() - began)
