"""The command that prints the sampler's statistics."""

import pytest

from llama2_myhdl.golden import sampler_statistics
from llama2_myhdl.golden.sampler_statistics import SETTINGS
from llama2_myhdl.host.sampler import main
from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.spec.presets import preset


@pytest.fixture
def model(tmp_path):
    write_checkpoint(random_checkpoint(preset("nano").shape, seed=7), tmp_path / "model.bin")
    return str(tmp_path / "model.bin")


def test_command(model, capsys):
    assert main([model, "--draws", "3000"]) == 0
    output = capsys.readouterr().out
    assert "3,000 draws a run" in output and "theta 10000" in output
    rows = [line.split("│")[1:-1] for line in output.splitlines() if line.startswith("│")]
    for setting in SETTINGS:
        assert [row[0].strip() for row in rows].count(setting) == 16 + 1  # every position of nano, and the summary
    assert "p-value below 0.01: " in output and " allowed" in output


def test_a_wrong_sampler_is_an_error(model, capsys, monkeypatch):
    """The draws of a little more than the temperature that was set."""

    def warmer(logits, registers, positions, entries):
        return right(logits, registers if registers.greedy else registers_of(registers), positions, entries)

    def registers_of(registers):
        return type(registers)(**vars(registers) | dict(shift=registers.shift + 1))

    right = sampler_statistics.sample_many
    monkeypatch.setattr(sampler_statistics, "sample_many", warmer)
    assert main([model, "--draws", "3000"]) == 1
    assert "the smallest of " in capsys.readouterr().out


def test_command_refuses_bad_input(model, capsys):
    assert main([model, "--draws", "0"]) == 2
    assert capsys.readouterr().err == "sampler: --draws must be at least 1, is 0\n"
    assert main([__file__]) == 2
    assert capsys.readouterr().err.startswith("sampler: ")
