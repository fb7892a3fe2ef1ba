"""Conversion of the whole decoder: one module a block, the same bytes in every process."""

import subprocess
import sys

import pytest

from llama2_myhdl.base.folders import PROJECT
from llama2_myhdl.rtl.decoder import decoder, ports
from llama2_myhdl.sim.build import converted
from llama2_myhdl.spec.presets import preset


@pytest.mark.parametrize("name", ["nano", "default"])
def test_same_bytes_in_a_fresh_process(name, tmp_path):
    """What the builds are made of and a conversion with another hash seed agree byte for byte."""
    modules = converted(decoder, ports(preset(name).build))
    command = [sys.executable, "-m", "llama2_myhdl.rtl.convert", name, "--output", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, check=True, env={"PYTHONHASHSEED": "7", "PATH": ""}, capture_output=True)
    here = {module.file.name: module.file.read_bytes() for module in modules}
    there = {file.name: file.read_bytes() for file in tmp_path.glob("*.v")}
    assert len(modules) > 50 and here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_every_unit_is_a_module_of_its_own():
    """The units of the architecture page appear under their own names."""
    names = {module.block for module in converted(decoder, ports(preset("nano").build))}
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
    assert units - names == set()
