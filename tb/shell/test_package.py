"""The installed package: one name, the model inside, one command; what it generates goes to the user's cache."""

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from llama2_myhdl.readers.checkpoint import random_checkpoint, write_checkpoint
from llama2_myhdl.spec.presets import preset

ROOT = Path(__file__).parents[2]
NAME = "llama2_myhdl"


def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def folders() -> set[Path]:
    """Those that hold packages, without the tests."""
    found = {path.parent.relative_to(ROOT) for path in ROOT.glob("[a-z]*/**/__init__.py")}
    return {path for path in found if path.parts[0] not in ("tb", "build", "sim_build")}


def pip(*arguments) -> None:
    """Run pip; it needs no network."""
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy of what a clone has, tests included."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    for name in {"tb", *(path.parts[0] for path in folders())}:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "downloads"))
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", out, source)
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder into which the wheel was installed."""
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--target", target, wheel)
    return target


def call(installed: Path, *arguments, cache: Path) -> subprocess.CompletedProcess:
    """Run Python with the installed package, from the folder that holds `cache`."""
    environment = os.environ | {"PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cache.parent, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done


def test_every_folder_with_code_is_a_package():
    listed = settings()["options"]["packages"].split()
    assert listed == sorted(".".join([NAME, *path.parts]) for path in folders())


def test_the_build_needs_what_the_test_builds_with():
    (pinned,) = (line for line in settings()["options.extras_require"]["dev"].split() if line.startswith("setuptools"))
    assert f'requires = ["{pinned}"]' in (ROOT / "pyproject.toml").read_text()


def test_the_wheel_holds_one_package_with_all_its_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (top_level,) = (archive.read(name).decode() for name in names if name.endswith("/top_level.txt"))
        (entries,) = (archive.read(name).decode() for name in names if name.endswith("/entry_points.txt"))
    assert top_level == f"{NAME}\n"
    assert entries.split() == ["[console_scripts]", "llama2-myhdl", "=", f"{NAME}.host.cli:main"]
    held = {name.removeprefix(f"{NAME}/") for name in names if name.startswith(f"{NAME}/")}
    assert {name.split("/")[0] for name in names} == {NAME, f"{NAME}-0.2.0.dist-info"}
    assert {"weights/default/model.bin", "weights/default/tokenizer.bin"} <= held
    files = {file for path in folders() for file in (ROOT / path).rglob("*") if file.is_file()}
    ignored = {"__pycache__", "downloads"}
    assert held == {str(file.relative_to(ROOT)) for file in files if not ignored & set(file.parts)}


def test_code_and_model_are_those_of_the_installed_package(installed, tmp_path):
    code = f"from {NAME}.base import folders; from {NAME}.weights.models import DEFAULT; " \
        "print(folders.PROJECT, folders.GENERATED, (DEFAULT / 'model.bin').is_file())"  # fmt: skip
    found = call(installed, "-c", code, cache=tmp_path / "cache").stdout.split()
    assert found == [str(installed / NAME), str(tmp_path / "cache" / "llama2-myhdl"), "True"]


def test_the_commands_work_and_generate_into_the_cache(installed, tmp_path):
    before = {path for path in installed.rglob("*") if "__pycache__" not in path.parts}
    command, cache = ["-m", f"{NAME}.host.cli"], tmp_path / "cache"
    version = call(installed, *command, "--version", cache=cache).stdout
    assert version == f"llama2-myhdl {settings()['metadata']['version']}\n"
    write_checkpoint(random_checkpoint(preset("nano").shape, seed=1), tmp_path / "model.bin")
    call(installed, *command, "pack", "--config", "nano", "model.bin", "model.tape", cache=cache)
    call(installed, *command, "convert", "nano", "--output", "verilog", cache=cache)
    assert (tmp_path / "model.tape").stat().st_size > 0
    assert (tmp_path / "verilog" / "llama_decoder.v").exists()
    assert list((cache / "llama2-myhdl").rglob("*.weights"))
    assert {path for path in installed.rglob("*") if "__pycache__" not in path.parts} == before
