"""Conversion of the whole decoder: one module a block, the same bytes in every process."""

import subprocess
import sys

import pytest

from llama2_myhdl.golden.folders import PROJECT
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.rtl.hdl.hierarchy import convert
from llama2_myhdl.rtl.presets import preset


@pytest.mark.parametrize("name", ["nano", "default"])
def test_same_bytes_in_a_fresh_process(name, tmp_path):
    """Two conversions, one here and one in a process of its own with another hash seed, agree byte for byte."""
    modules = convert(decoder, tmp_path / "here", **ports(preset(name).build))
    command = [sys.executable, "-m", "llama2_myhdl.rtl.convert", name, "--output", str(tmp_path / "there")]
    subprocess.run(command, cwd=PROJECT, check=True, env={"PYTHONHASHSEED": "7", "PATH": ""}, capture_output=True)
    here, there = (sorted((tmp_path / side).glob("*.v")) for side in ("here", "there"))
    assert [file.name for file in here] == [file.name for file in there]
    assert len(here) == len(modules) > 50
    for a, b in zip(here, there):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_every_unit_is_a_module_of_its_own(tmp_path):
    """The units of the architecture page appear under their own names."""
    names = {module.name for module in convert(decoder, tmp_path, **ports(preset("nano").build))}
    units = {
        "decoder",
        "loader",
        "tape",
        "decode_loop",
        "embedding",
        "engine",
        "schedule",
        "matvec",
        "mac_array",
        "rope",
        "attention",
        "residual",
        "rmsnorm",
        "rsqrt",
        "reciprocal",
        "exp2",
        "swiglu",
        "argmax",
        "row_router",
    }
    found = {unit for unit in units if any(name == unit or name.startswith(f"{unit}_") for name in names)}
    assert found == units
