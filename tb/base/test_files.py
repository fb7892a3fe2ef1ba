"""Whole-file writes: all or nothing, whoever else writes, and never a device replaced."""

import os
import stat
import threading

import pytest

from llama2_myhdl.base.files import check_writable, write_whole


def broken():
    yield b"half"
    raise ValueError("broken")


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_whole(path, [b"old"])
    with pytest.raises(ValueError, match="broken"):
        write_whole(path, broken())
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_two_writers_at_once(tmp_path):
    path, both = tmp_path / "file", threading.Barrier(2)

    def chunks(letter):
        yield letter
        both.wait(10)
        yield letter

    other = threading.Thread(target=write_whole, args=(path, chunks(b"a")))
    other.start()
    write_whole(path, chunks(b"b"))
    other.join()
    assert path.read_bytes() in (b"aa", b"bb") and os.listdir(tmp_path) == ["file"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    write_whole(tmp_path / "file", [b"x"])
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "file")}
    assert len(modes) == 1


def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", [b"x"])
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"x"


def test_what_is_no_file_is_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, [b"a", b"b"])
    assert os.read(reader, 9) == b"ab" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)
    write_whole("/dev/null", [b"x"])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_descriptor_that_is_a_file_keeps_what_it_has(tmp_path):
    with open(tmp_path / "out", "ab") as out:
        out.write(b"first ")
        out.flush()
        write_whole(f"/dev/fd/{out.fileno()}", [b"second"])
    assert (tmp_path / "out").read_bytes() == b"first second"


def test_where_nothing_can_be_written(tmp_path):
    for path in (tmp_path / "new", "/dev/null"):
        check_writable(path)
    with pytest.raises(IsADirectoryError, match="folder"):
        check_writable(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        check_writable(tmp_path / "none" / "file")
    assert os.listdir(tmp_path) == []
