"""A folder that cannot be built in is refused in one line before anything is installed, by make and by the commands."""

import shutil
import subprocess
from pathlib import Path

import pytest

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.base.place import check_folder

ROOT = Path(__file__).parents[2]
FIT = "a0._-+@~^!%{}[]*?"
UNFIT = " \t\n,=|<>()'\"&;:#$`\\é日\x01"


def test_make_and_the_commands_have_one_rule(tmp_path):
    for character in FIT + UNFIT:
        folder = tmp_path / f"x{character}"
        folder.mkdir()
        script = subprocess.run([ROOT / ".ci" / "place", folder], capture_output=True, text=True)
        if character in FIT:
            check_folder(folder)
            assert script.returncode == 0
        else:
            assert script.returncode == 2
            assert len(script.stderr.splitlines()) == 1
            with pytest.raises(ModelError, match="cannot be built in") as error:
                check_folder(folder)
            assert len(str(error.value).splitlines()) == 1


def test_a_link_to_an_unfit_folder_is_one(tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "link").symlink_to("a b")
    with pytest.raises(ModelError, match="'.*/a b': .* has ' '"):
        check_folder(tmp_path / "link")
    assert subprocess.run([ROOT / ".ci" / "place", tmp_path / "link"], capture_output=True).returncode == 2


def test_the_folders_of_this_checkout_are_fit():
    check_folder()


@pytest.mark.parametrize("target", ["setup", "test", "generate", "convert", "synth", "train"])
def test_make_refuses_before_anything_is_installed(target, tmp_path):
    clone = tmp_path / "my clone"
    shutil.copytree(ROOT / ".ci", clone / ".ci")
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, clone / name)
    before = sorted(clone.rglob("*"))
    call = ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make"]
    done = subprocess.run([*call, target], cwd=clone, capture_output=True, text=True)
    line, of_make = done.stderr.splitlines()
    assert done.returncode == 2 and done.stdout == ""
    assert line.startswith(f"'{clone}': a folder whose path has ' ' cannot be built in")
    assert "place" in of_make
    assert sorted(clone.rglob("*")) == before
    assert subprocess.run([*call, "help"], cwd=clone, capture_output=True).returncode == 0
