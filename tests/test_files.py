import os
import subprocess
import sys

import pytest
import torch
from common import full_disk

from stvae_lib import InputError, save_image
from stvae_lib.files import ABANDONED, LOCK, alone_in, check_readable, check_writable, sweep, write_bytes
from stvae_lib.model.storage import write_tensors


@pytest.mark.parametrize("write", [lambda path: write_bytes(path, bytes(5000)),
                                   lambda path: save_image(torch.rand(1, 3, 64, 64), path),
                                   lambda path: write_tensors({"a": torch.rand(900)}, path, {}, {})])
def test_a_full_disk_is_said_and_leaves_nothing(write, tmp_path):
    (tmp_path / "old.png").write_text("old")
    for name in ("new.png", "old.png"):
        with full_disk(), pytest.raises(InputError, match=f"{name}: cannot be written .File too large"):
            write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"] and (tmp_path / "old.png").read_text() == "old"


def test_a_symbolic_link_is_written_through(tmp_path):
    (tmp_path / "far").mkdir()
    for name in ("old.txt", "new.txt"):
        (tmp_path / name).symlink_to(tmp_path / "far" / name)
    (tmp_path / "far" / "old.txt").write_text("old")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    for name in ("old.txt", "new.txt"):
        check_writable(tmp_path / name)
        write_bytes(tmp_path / name, b"new")
        assert (tmp_path / name).is_symlink() and (tmp_path / "far" / name).read_text() == "new"
    with pytest.raises(InputError, match="loop.txt: cannot be written"):
        write_bytes(tmp_path / "loop.txt", b"new")
    assert sorted(path.name for path in tmp_path.rglob("*.txt")) == ["loop.txt", "new.txt", "new.txt", "old.txt", "old.txt"]


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "missing/x.png", "file/x.png", "folder", "pipe"])
def test_places_that_cannot_be_written_are_found_beforehand(name, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as refused:
        check_writable(tmp_path / name)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300
    assert sorted(tmp_path.rglob("*")) == before
    check_writable(tmp_path / "fine.png")
    check_writable(tmp_path / "file")
    assert sorted(tmp_path.rglob("*")) == before


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, word in (("pipe", "no regular file"), (".", "is a folder"), ("missing", "no such file"), ("x" * 300, "too long")):
        with pytest.raises(InputError, match=word):
            check_readable(tmp_path / name)


def test_a_folder_is_for_one_process_at_a_time(tmp_path):
    folder = tmp_path / "run"
    again = ("import sys; from stvae_lib.files import alone_in\n"
             "with alone_in(sys.argv[1]): print('in')")
    with alone_in(folder):
        with pytest.raises(InputError, match="by another process"), alone_in(folder):
            raise AssertionError("two at a time")
        other = subprocess.run([sys.executable, "-c", again, str(folder)], capture_output=True, text=True)
        assert "by another process" in other.stderr and not other.stdout
        (folder / "result").touch()
    assert [path.name for path in folder.iterdir()] == ["result"]
    with alone_in(folder):
        pass
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path / "nothing"):
        raise ZeroDivisionError
    assert not (tmp_path / "nothing").exists(), "a folder that was made in vain goes again"


def test_leftovers_of_killed_runs_are_swept(tmp_path):
    old, young, other = (tmp_path / name for name in (".stvae-1.png", ".stvae-2.png", ".own.png"))
    for file in (old, young, other, tmp_path / LOCK):
        file.touch()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    os.utime(tmp_path / LOCK, (0, 0))
    sweep(tmp_path, ABANDONED)
    assert {path.name for path in tmp_path.iterdir()} == {young.name, other.name, LOCK}
    with alone_in(tmp_path):
        assert not young.exists()
