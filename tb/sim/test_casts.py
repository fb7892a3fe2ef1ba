"""Remembered casts for Icarus: they are those of the C++ library, and what stands in the way of them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from llama2_myhdl.sim import casts
from llama2_myhdl.sim.runner import SIMULATORS
from llama2_myhdl.sim.simulator import SimulationError

BENCH = Path(__file__).with_name("casts_bench.cpp")
CLASSES, CASTS = 60, 60 * 6 * 7  # more than the library has places, and each is asked for twice

pytestmark = pytest.mark.skipif(not shutil.which("g++"), reason="without a compiler there is no library")


@pytest.fixture
def anew(tmp_path, monkeypatch):
    """Nothing has been compiled yet."""
    monkeypatch.setattr(casts, "GENERATED", tmp_path)
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    casts._library.cache_clear()
    yield tmp_path
    casts._library.cache_clear()


def found(program, preloaded) -> list[str]:
    """What each cast finds."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    made = subprocess.run([program], env=environment | preloaded, capture_output=True, text=True, check=True)
    assert made.stderr == ""
    return made.stdout.split()


def test_casts_are_those_of_the_library(tmp_path):
    program = tmp_path / "bench"
    subprocess.run(["g++", "-std=gnu++17", f"-DCLASSES={CLASSES}", BENCH, "-o", program], check=True)
    real = found(program, {})
    assert len(real) == 2 * CASTS and len(set(real)) >= 5 and real.count("-1") > CASTS / 2
    assert found(program, casts.environment()) == real


def test_a_wrong_answer_is_seen(tmp_path, monkeypatch):
    """A library that forgets which class is asked for fails the test above."""
    wrong = tmp_path / "casts.cpp"
    text = casts.CASTS.read_text()
    wrong.write_text(text.replace(" || answer.to != to", "").replace("place(table, to)", "place(table, nullptr)"))
    assert wrong.read_text().count("nullptr") == text.count("nullptr") + 1
    monkeypatch.setattr(casts, "CASTS", wrong)
    monkeypatch.setattr(casts, "GENERATED", tmp_path)
    casts._library.cache_clear()
    with pytest.raises(AssertionError):
        test_casts_are_those_of_the_library(tmp_path)
    casts._library.cache_clear()


@pytest.mark.skipif("icarus" not in SIMULATORS, reason="Icarus' own program")
def test_icarus_asks_the_library():
    """vvp is linked to a C++ library that can be replaced: its casts are the ones that are remembered."""
    needed = subprocess.run(["ldd", shutil.which("vvp")], capture_output=True, text=True, check=True).stdout
    assert "libstdc++" in needed


def test_it_is_compiled_once(anew):
    first = casts.environment()
    (library,) = (anew / "casts").iterdir()
    assert first == {"LD_PRELOAD": str(library)}
    before = library.stat().st_mtime_ns
    casts._library.cache_clear()
    assert casts.environment() == first and library.stat().st_mtime_ns == before


def test_what_is_loaded_already_stays(anew, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "other.so")
    assert casts.environment()["LD_PRELOAD"].endswith(".so other.so")


@pytest.mark.parametrize("obstacle", ["platform", "compiler", "blank"])
def test_icarus_runs_without_it(obstacle, anew, monkeypatch):
    if obstacle == "platform":
        monkeypatch.setattr(casts.sys, "platform", "darwin")
    elif obstacle == "compiler":
        monkeypatch.setenv("PATH", str(anew))
    else:
        monkeypatch.setattr(casts, "GENERATED", anew / "my projects")
    assert casts.environment() == {}


def test_a_compiler_that_fails_is_one_line(anew, monkeypatch):
    bad = anew / "bad.cpp"
    bad.write_text("nonsense\n")
    monkeypatch.setattr(casts, "CASTS", bad)
    with pytest.raises(SimulationError, match=r"^g\+\+ failed \(1\), see .*/casts/compile.log: .*bad.cpp:1.+$"):
        casts.environment()
    assert [file.name for file in (anew / "casts").iterdir()] == ["compile.log"]
