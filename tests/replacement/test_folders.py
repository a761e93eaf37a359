"""Folders that take the place of others: old or new at each moment, and nothing left behind."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from harness.errors import EnvironmentFailure
from harness.files import write
from harness.replacement import folders, parts, remove_stale, replaced_folder, temporary_folder
from harness.replacement.exchange import exchange

ROOT = Path(__file__).resolve().parents[2]
# Replaces a folder in two steps and is killed before the second.
KILLED = """
import os, signal, sys
from pathlib import Path
from harness.replacement import folders

folders.exchange = lambda one, other: False
rename = Path.rename

def killed(self, target):
    if Path(target) == out:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)

Path.rename = killed
out = Path(sys.argv[1])
with folders.replaced_folder(out) as new:
    (new / "page").write_text("new")
"""


@pytest.fixture(params=["one step", "two steps"])
def way(request, monkeypatch):
    if request.param == "two steps":
        monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    return request.param


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "page").write_text("old")
    return folder


def failing(context, error):
    """Raise `error` within the block of a context that gives a folder, half filled."""
    with context as folder:
        (folder / "page").write_text("half")
        raise error


def alone(folder):
    """Whether nothing stands beside a folder."""
    return [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_new_folder_takes_the_place_of_the_old(way, out):
    with replaced_folder(out) as new:
        (new / "page").write_text("new")
        assert (out / "page").read_text() == "old"
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("page", "new")]
    assert alone(out)


def test_an_absent_folder_is_made(way, tmp_path):
    with replaced_folder(tmp_path / "out") as new:
        (new / "page").write_text("new")
    assert (tmp_path / "out" / "page").read_text() == "new"
    assert alone(tmp_path / "out")
    expected = tmp_path / "plain"
    expected.mkdir()
    assert (tmp_path / "out").stat().st_mode == expected.stat().st_mode


@pytest.mark.parametrize("error", [KeyError("a bug"), OSError(errno.ENOSPC, "full")])
def test_a_block_that_fails_leaves_the_old_folder_and_nothing_else(way, out, error):
    expected = EnvironmentFailure if isinstance(error, OSError) else KeyError
    with pytest.raises(expected):
        failing(replaced_folder(out), error)
    assert (out / "page").read_text() == "old"
    assert alone(out)


def test_a_second_step_that_fails_is_taken_back(out, monkeypatch):
    monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    rename, target = Path.rename, out

    def refused(self, to):
        if Path(to) == target and "new" in self.parts:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(EnvironmentFailure, match="Input/output error"), replaced_folder(out):
        pass
    assert (out / "page").read_text() == "old"
    assert alone(out)


def test_an_interrupt_between_two_steps_puts_the_old_folder_back(out, monkeypatch):
    monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    rename = Path.rename

    def interrupted(self, to):
        rename(self, to)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), replaced_folder(out):
        pass
    assert (out / "page").read_text() == "old"
    assert alone(out)


def test_what_a_kill_between_two_steps_moved_away_is_put_back_by_the_next_write(out):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = subprocess.run([sys.executable, "-c", KILLED, str(out)], env=env)
    assert made.returncode == -signal.SIGKILL
    assert not out.exists()
    remove_stale(out.parent)
    assert (out / "page").read_text() == "old"
    assert alone(out)


def test_a_file_that_is_written_puts_nothing_of_a_strangers_part_in_place(tmp_path):
    planted = tmp_path / f".ivcr-{parts._kernel()}-{'0' * 16}.part" / "old"
    planted.mkdir(parents=True)
    (planted / "predictions.jsonl.gz").write_text("planted")
    write(tmp_path / "scores.json", b"{}")
    assert not (tmp_path / "predictions.jsonl.gz").exists()
    assert (planted / "predictions.jsonl.gz").exists()


def test_what_was_made_anew_meanwhile_is_not_put_back_over(out):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", KILLED, str(out)], env=env)
    out.mkdir()
    (out / "page").write_text("newer")
    remove_stale(out.parent)
    assert (out / "page").read_text() == "newer"
    assert alone(out)


def test_the_folder_is_there_at_each_moment(out):
    if not can_exchange(out.parent):
        pytest.skip("needs a system that exchanges two folders in one step")
    absent, done = [], threading.Event()

    def watch():
        while not done.is_set():
            try:
                (out / "page").stat()
            except FileNotFoundError:
                absent.append(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(200):
        with replaced_folder(out) as new:
            (new / "page").write_text(str(number))
    done.set()
    watcher.join()
    assert absent == []


def can_exchange(folder):
    one, other = folder / "one", folder / "other"
    one.mkdir()
    other.mkdir()
    try:
        return exchange(one, other)
    finally:
        one.rmdir()
        other.rmdir()


def test_what_has_the_system_refuse_an_exchange_is_an_error_and_not_the_other_way(tmp_path):
    if not can_exchange(tmp_path):
        pytest.skip("needs a system that exchanges two folders in one step")
    (tmp_path / "one").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "one", tmp_path / "absent")


def test_a_place_that_was_taken_meanwhile_is_not_replaced(tmp_path):
    out = tmp_path / "out"

    def take():
        with replaced_folder(out, must_be_new=True):
            out.mkdir()
            (out / "page").write_text("theirs")

    with pytest.raises(EnvironmentFailure, match="not empty"):
        take()
    assert (out / "page").read_text() == "theirs"
    assert alone(out)


def test_names_of_any_legal_length_and_none_at_all(way, tmp_path, monkeypatch):
    long = tmp_path / ("n" * 255)
    for _ in range(2):
        with replaced_folder(long) as new:
            (new / "page").write_text("new")
    assert (long / "page").read_text() == "new"
    with (
        pytest.raises(EnvironmentFailure, match="give a shorter name"),
        replaced_folder(tmp_path / ("n" * 256)),
    ):
        pass
    assert alone(long)
    monkeypatch.chdir(long)
    with replaced_folder(Path()) as new:
        (new / "page").write_text("newer")
    assert (long / "page").read_text() == "newer"


def test_a_temporary_folder_is_private_and_gone_after(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_folder() as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_full_place_for_temporary_files_names_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(EnvironmentFailure, match="make room there, or set TMPDIR to another"):
        failing(temporary_folder(), OSError(errno.ENOSPC, "No space left on device"))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with (
        pytest.raises(EnvironmentFailure, match="make the folder first, or set TMPDIR"),
        temporary_folder(),
    ):
        pass


def test_a_part_keeps_its_moved_folders_where_the_repair_looks(tmp_path):
    home = tmp_path / f".ivcr-{parts._kernel()}-{'0' * 16}.part"
    (home / parts.OLD / "site").mkdir(parents=True)
    remove_stale(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
