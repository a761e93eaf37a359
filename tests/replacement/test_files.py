"""Files that take the place of others: whole or not at all, and never through what is there."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import files
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import copy, open_replacement, sibling, write

ROOT = Path(__file__).resolve().parents[2]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_what_a_link_leads_to_is_not_written(tmp_path, link):
    victim, sub = tmp_path / "victim", tmp_path / "sub"
    victim.write_text("precious")
    sub.mkdir()
    link(victim, sub / "scores.json")
    write(sub / "scores.json", b"{}")
    assert victim.read_text() == "precious"
    assert (sub / "scores.json").read_bytes() == b"{}"
    assert not (sub / "scores.json").is_symlink()
    assert names(sub) == ["scores.json"]


def test_a_dangling_link_is_replaced_and_what_it_names_is_not_made(tmp_path):
    (tmp_path / "scores.json").symlink_to(tmp_path / "victim")
    write(tmp_path / "scores.json", b"{}")
    assert names(tmp_path) == ["scores.json"]


def test_names_that_others_could_foresee_are_not_used(tmp_path):
    """A link for each process number, as the names once were."""
    victim, sub = tmp_path / "victim", tmp_path / "sub"
    victim.write_text("precious")
    sub.mkdir()
    for pid in range(os.getpid() - 50, os.getpid() + 50):
        (sub / f".scores.json.{pid}.part").symlink_to(victim)
    write(sub / "scores.json", b"{}")
    assert victim.read_text() == "precious"


def fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (fifo, "a pipe"),
        (Path.mkdir, "a folder"),
        (lambda path: path.symlink_to("/dev/null"), "a link into the system's folders"),
        (lambda path: path.symlink_to(path.parent.parent), "a folder"),
        (lambda path: path.symlink_to("/proc/self/fd/1"), "a link into the system's folders"),
    ],
)
def test_what_is_no_file_is_refused_and_stays(tmp_path, make, kind):
    target = tmp_path / "sub" / "scores.json"
    target.parent.mkdir()
    make(target)
    before = target.lstat()
    with pytest.raises(EnvironmentFailure, match=f"expected a file or nothing there, found {kind}"):
        write(target, b"{}")
    assert os.path.samestat(target.lstat(), before)
    assert names(target.parent) == ["scores.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a device")
def test_a_device_keeps_its_name(tmp_path):
    device = tmp_path / "null"
    try:
        os.mknod(device, 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("needs the right to make a device")
    with pytest.raises(EnvironmentFailure, match="found a device"):
        write(device, b"{}")
    assert device.is_char_device()


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_place_without_a_name_is_a_folder(place):
    with pytest.raises(EnvironmentFailure, match="found a folder"):
        write(Path(place), b"")


@pytest.mark.parametrize("length", [250, 255])
def test_a_name_of_any_legal_length_is_written(tmp_path, length):
    write(tmp_path / ("n" * length), b"1")
    write(tmp_path / ("n" * length), b"2")
    assert (tmp_path / ("n" * length)).read_bytes() == b"2"
    assert len(names(tmp_path)) == 1


def test_a_longer_name_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(EnvironmentFailure, match="File name too long; give a shorter name"):
        write(tmp_path / ("n" * 256), b"1")


def test_an_absent_folder_is_named_with_what_to_do(tmp_path):
    with pytest.raises(EnvironmentFailure, match="make the folder first, or name another place"):
        write(tmp_path / "absent" / "file", b"1")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EROFS, "allow writing"),
        (errno.EIO, "name another"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace", "open"])
def test_a_disk_that_fails_is_one_line_and_nothing_is_left(
    tmp_path, monkeypatch, number, advice, step
):
    write(tmp_path / "file", b"old")

    def failing(*arguments, **_):
        if step == "open" and not str(arguments[0]).startswith(".ivcr-"):
            return real(*arguments, **_)
        raise OSError(number, os.strerror(number))

    real = getattr(os, step)
    monkeypatch.setattr(os, step, failing)
    with pytest.raises(EnvironmentFailure, match=f"file: cannot be written: .*{advice}"):
        write(tmp_path / "file", b"new")
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


SMALL = """
import resource, sys
from pathlib import Path
from harness.errors import EnvironmentFailure
from harness.files import write

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
try:
    write(Path(sys.argv[1]), bytes(int(sys.argv[2])))
except EnvironmentFailure as failure:
    print(failure)
"""


@pytest.mark.parametrize("size", [10_001, 20_000, 5_000_000])
def test_a_real_limit_leaves_the_old_file_and_no_other(tmp_path, size):
    write(tmp_path / "file", b"old")
    made = subprocess.run(
        [sys.executable, "-c", SMALL, str(tmp_path / "file"), str(size)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert made.stderr == ""
    assert "file: cannot be written: File too large; allow larger files" in made.stdout
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    write(tmp_path / "file", b"old")

    def fail():
        with open_replacement(tmp_path / "file") as stream:
            stream.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_new_file_has_the_rights_of_any_new_file(tmp_path):
    write(tmp_path / "file", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(os.geteuid() == 0, reason="needs a user whom rights bind; root may do all")
def test_a_folder_that_may_only_be_written_is_written(tmp_path):
    (tmp_path / "box").mkdir(mode=0o300)
    write(tmp_path / "box" / "file", b"1")
    (tmp_path / "box").chmod(0o700)
    assert names(tmp_path / "box") == ["file"]


def test_a_copy_blames_the_file_that_failed(tmp_path, monkeypatch):
    (tmp_path / "source").write_bytes(b"abc")
    digest = copy(tmp_path / "source", tmp_path / "copy")
    assert digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (tmp_path / "copy").read_bytes() == b"abc"
    with pytest.raises(EnvironmentFailure, match="absent: cannot be read"):
        copy(tmp_path / "absent", tmp_path / "other")
    with pytest.raises(OSError, match="File exists"):
        copy(tmp_path / "source", tmp_path / "copy")


@pytest.mark.parametrize(
    ("name", "beside"),
    [("site", ".site.ledger.json"), ("n" * 242, f".{'n' * 242}.ledger.json")],
)
def test_a_sibling_is_called_like_its_file(name, beside):
    assert sibling(Path("a", name), ".ledger.json", start=".") == Path("a", beside)


@pytest.mark.parametrize("letter", ["n", "ü", "看"])
def test_a_sibling_of_a_long_name_has_a_legal_name_of_its_own(tmp_path, letter):
    most = 255 // len(letter.encode())
    found = {sibling(tmp_path / (letter * (most - cut)), ".ledger.json") for cut in range(3)}
    assert len(found) == 3
    for path in found:
        assert path.name.endswith(".ledger.json")
        path.write_bytes(b"")


def test_nothing_stands_beside_the_root():
    with pytest.raises(WrongUsageError, match="name a folder inside it"):
        sibling(Path("/"), ".run")


def test_a_folder_is_tidied_at_the_first_write(tmp_path, monkeypatch):
    tidied = []
    monkeypatch.setattr(files, "remove_stale", lambda folder, **_: tidied.append(folder))
    for name in ("a", "b"):
        write(tmp_path / name, b"")
    assert tidied == [tmp_path]
