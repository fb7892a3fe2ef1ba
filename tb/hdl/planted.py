"""A fault planted in the Verilog of a block, for a test that a check sees it: a step between Verilog and simulator."""

from dataclasses import dataclass
from pathlib import Path

from llama2_myhdl.hdl.hierarchy import ModuleFile


@dataclass(frozen=True)
class Planted:
    """`right`, a text that the module of `block` has once, becomes `wrong`; ValueError if it does not have it once."""

    block: str
    right: str
    wrong: str

    name = "planted"

    @property
    def identity(self) -> str:
        """The fault itself: another one is another build."""
        return repr(self)

    def arguments(self, sim: str) -> list[str]:
        """None."""
        return []

    def __call__(self, modules: list[ModuleFile], folder: Path) -> list[ModuleFile]:
        """The same modules, one of them with the fault."""
        made, found = [], 0
        for module in modules:
            text = module.file.read_text()
            if module.block == self.block:
                found += text.count(self.right)
                text = text.replace(self.right, self.wrong)
            file = folder / module.file.name
            file.write_text(text)
            made.append(ModuleFile(module.name, file, module.block))
        if found != 1:
            raise ValueError(f"{self.block}: must have {self.right!r} once, has it {found} times")
        return made
