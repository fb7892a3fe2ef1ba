"""Every block of rtl/ has a test: one that has its name or that of its file, or one that `tb/covers.py` names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.hdl.hierarchy import convert
from llama2_myhdl.rtl.attention import attention
from llama2_myhdl.spec.presets import preset
from tb.covers import COVERS
from tb.hdl import designs


def own_test(name: str, file: Path) -> Path | None:
    """The test that has the name of a block or of its file; what lies beside the folders of rtl/ has one of tb/."""
    folder = PROJECT / "tb" / (file.stem if file.parent.name == "rtl" else file.parent.name)
    found = (folder / f"test_{stem}.py" for stem in (name, file.stem))
    return next((test for test in found if test.exists()), None)


def uncovered(covers: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong with the table, a line each."""
    listed = [(name, PROJECT / test) for test, names in covers.items() for name in names]
    wrong = [f"{name}: {test.name}: there is no such file" for name, test in listed if not test.exists()]
    tests = {name: test for name, test in listed if test.exists()}
    wrong += [f"{name}: is listed and no block" for name in tests.keys() - {name for _, name in designs.blocks()}]
    for block, file in designs.blocks().items():
        name, own = block[1], own_test(block[1], file)
        if own and name in tests:
            wrong.append(f"{name}: is listed and has a test of its own")
        elif not own and name not in tests:
            wrong.append(f"{name}: no test")
        elif block not in designs.simulated(own or tests[name]):
            wrong.append(f"{name}: {(own or tests[name]).name} does not simulate it")
    return wrong


def test_every_block_has_a_test():
    assert uncovered(COVERS) == []
    names = [name for names in COVERS.values() for name in names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "more, wrong",
    [
        ({"tb/quant/test_quantiser.py": ()}, "bank: no test"),
        ({"tb/quant/test_quantiser.py": ("bank", "exponent")}, "exponent: is listed and has a test of its own"),
        ({"tb/quant/test_quantiser.py": ("bank", "nonsense")}, "nonsense: is listed and no block"),
        ({"tb/quant/test_quantiser.py": (), "tb/quant/test_rounding.py": ("bank",)}, "test_rounding.py: there is no"),
        ({"tb/quant/test_quantiser.py": (), "tb/rope/test_rope.py": ("bank",)}, "test_rope.py does not simulate it"),
    ],
)
def test_a_block_without_a_test_is_seen(more, wrong):
    assert any(wrong in line for line in uncovered(COVERS | more))


def test_the_sources_are_read_as_they_are_converted(tmp_path):
    """The blocks found are those that are converted, and what only larger builds have."""
    converted = set()
    for name in ("nano", "nano-kv"):
        modules = convert(attention.attention, tmp_path / name, **attention.ports(preset(name).build))
        converted |= {module.block for module in modules} - {"check"}
    read = {name for _, name in designs.simulated(Path(attention.__file__).resolve())}
    assert read - converted == {"ram_bank", "private"} and converted < read
