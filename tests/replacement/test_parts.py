"""Parts: nobody can foresee their names, and only what no living process holds is removed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.replacement import PartFolder, parts, remove_stale

ROOT = Path(__file__).resolve().parents[2]
# Makes a file and a folder as parts, says so, and waits for its end.
HOLDER = """
import sys, time
from pathlib import Path
from harness.replacement import PartFolder
from harness.replacement.parts import make_file, open_place

folder = Path(sys.argv[1])
held = PartFolder(folder), make_file(open_place(folder))
(held[0].path / "inside").write_text("half")
print("ready", flush=True)
time.sleep(60)
"""
OTHER_KERNEL = f".ivcr-{'ab' * 6}-{'0' * 16}.part"


@pytest.fixture
def hold(tmp_path):
    """Start a process that makes parts in the folder; it ends with the test at the latest."""
    running = []

    def start(*before):
        command = [*before, sys.executable, "-c", HOLDER, str(tmp_path)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        running.append(process)
        return process if process.stdout.readline() == b"ready\n" else None

    yield start
    for process in running:
        process.kill()
        process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_holds_stays(hold, tmp_path):
    living, killed = hold(), hold()
    held = names(tmp_path)
    assert len(held) == 4
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert names(tmp_path) == held
    remove_stale(tmp_path)
    assert len(names(tmp_path)) == 2
    assert set(names(tmp_path)) < set(held)
    living.kill()
    living.wait()
    remove_stale(tmp_path)
    assert names(tmp_path) == []


def test_a_process_that_cannot_be_seen_keeps_its_parts(hold, tmp_path):
    process = hold("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    if process is None:
        pytest.skip("needs a PID namespace of its own, which the system refuses here")
    held = names(tmp_path)
    remove_stale(tmp_path)
    assert names(tmp_path) == held
    assert len(held) == 2


def test_the_own_parts_of_a_process_stay_too(tmp_path):
    held = PartFolder(tmp_path)
    remove_stale(tmp_path)
    assert held.path.is_dir()
    held.close()
    assert names(tmp_path) == []


@pytest.mark.parametrize(("kind", "stays"), [("ext4", False), ("nfs4", True), ("", True)])
def test_parts_of_another_machine_stay_where_machines_share_the_disk(
    tmp_path, monkeypatch, kind, stays
):
    (tmp_path / OTHER_KERNEL).write_text("half")
    monkeypatch.setattr(parts, "_kind_of_disk", lambda place: kind)
    remove_stale(tmp_path)
    assert (tmp_path / OTHER_KERNEL).exists() == stays


def test_where_the_system_does_not_tell_its_starts_apart_nothing_is_removed(tmp_path, monkeypatch):
    left = tmp_path / f".ivcr-{parts._UNKNOWN}-{'0' * 16}.part"
    left.write_text("half")
    monkeypatch.setattr(parts, "_kernel", lambda: parts._UNKNOWN)
    remove_stale(tmp_path)
    assert left.exists()


def test_the_kind_of_a_disk_is_the_one_that_the_system_names(tmp_path):
    (kind,) = {
        line.split()[1]
        for line in subprocess.run(
            ["df", "--output=target,fstype", str(tmp_path)], capture_output=True, text=True
        ).stdout.splitlines()[1:]
    }
    assert parts._kind_of_disk(parts.open_place(tmp_path)) == kind


@pytest.mark.parametrize("name", ["notes.part", ".x.123.part", ".ivcr-abc-0.part"])
def test_what_is_not_called_like_a_part_stays(tmp_path, name):
    (tmp_path / name).write_text("mine")
    remove_stale(tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_links_and_pipes_that_are_called_like_parts_lead_nowhere(tmp_path):
    folder, victim = tmp_path / "folder", tmp_path / "victim"
    folder.mkdir()
    victim.mkdir()
    (victim / "file").write_text("precious")
    name = f".ivcr-{parts._kernel()}-{{:016x}}.part"
    (folder / name.format(1)).symlink_to(victim)
    (folder / name.format(2)).symlink_to(victim / "file")
    os.mkfifo(folder / name.format(3))
    os.link(victim / "file", folder / name.format(4))
    planted = folder / name.format(5)
    planted.mkdir()
    (planted / "old").symlink_to(victim)  # where a part keeps what it moved away
    (planted / "link").symlink_to(victim)
    remove_stale(folder)
    assert names(victim) == ["file"]
    assert (victim / "file").read_text() == "precious"
    assert names(folder) == [name.format(1), name.format(2), name.format(3)]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file to another user")
def test_parts_of_other_users_stay(tmp_path):
    left = tmp_path / f".ivcr-{parts._kernel()}-{'0' * 16}.part"
    left.write_text("theirs")
    os.chown(left, 12345, 12345)
    remove_stale(tmp_path)
    assert left.exists()


def test_a_name_that_is_taken_is_never_written_through(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    bytes_ = iter([b"\0" * 8, b"\1" * 8])
    monkeypatch.setattr(parts.os, "urandom", lambda n: next(bytes_))
    (tmp_path / f".ivcr-{parts._kernel()}-{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(FileExistsError):
        parts.make_file(parts.open_place(tmp_path))
    assert victim.read_text() == "precious"


def test_a_part_that_was_taken_for_stale_before_its_lock_is_made_again(tmp_path, monkeypatch):
    lock, calls = parts._lock, []

    def late(descriptor, *, trusted):
        calls.append(descriptor)
        if len(calls) == 1:
            remove_stale(tmp_path)
        return lock(descriptor, trusted=trusted)

    monkeypatch.setattr(parts, "_lock", late)
    place = parts.open_place(tmp_path)
    for made in (parts.make_file, parts.make_folder):
        calls.clear()
        _, name = made(place)
        assert (tmp_path / name).exists()
        assert len(names(tmp_path)) == 1
        (tmp_path / name).rmdir() if made is parts.make_folder else (tmp_path / name).unlink()


def test_many_processes_that_write_and_tidy_at_once_lose_nothing(tmp_path):
    script = """
import sys
from pathlib import Path
from harness import files
from harness.replacement import remove_stale

target = Path(sys.argv[1])
for number in range(60):
    remove_stale(target.parent)
    files.write(target, b"whole" * 1000, durable=False)
    assert target.read_bytes() == b"whole" * 1000
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, str(tmp_path / "file")]
    running = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, errors
    assert names(tmp_path) == ["file"]


def test_a_disk_without_locks_is_written_and_nothing_is_removed_from_it(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(parts.fcntl, "flock", refused)
    _, name = parts.make_file(parts.open_place(tmp_path))
    remove_stale(tmp_path)
    assert names(tmp_path) == [name]
    assert time.time() - (tmp_path / name).stat().st_mtime < 60
