"""Files that mean harm: one clear line, the right exit code, bounded memory and time."""

import gzip
import os
import re
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import EnvironmentFailure
from harness.files import zstd
from harness.untrusted import plain_file
from harness.validation import check
from tests.validation.bad import SOUND
from tests.validation.samples import CARD, LINES, encoded, write_submission

PREDICTIONS = "predictions.jsonl"


def codes(folder, benchmark):
    return set(check(folder, benchmark, keep=False).report.totals)


def replaced(folder, name, data):
    (folder / PREDICTIONS).unlink()
    (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def sub(tmp_path):
    return write_submission(tmp_path / "sub")


@pytest.mark.parametrize("name", [PREDICTIONS, "card.toml"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder", "link to a device"])
def test_what_is_no_plain_file_is_refused_without_waiting(name, kind, tmp_path, small, monkeypatch):
    sub = write_submission(tmp_path / "s")
    (sub / name).unlink()
    if kind == "pipe":
        os.mkfifo(sub / name)
    elif kind == "socket":
        monkeypatch.chdir(sub)  # a socket's path may have a hundred characters at most
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(name)
    elif kind == "device":
        try:
            os.mknod(sub / name, 0o600 | 0o020000, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("making a device needs rights that this process lacks")
    elif kind == "folder":
        (sub / name).mkdir()
    else:
        (sub / name).symlink_to("/dev/zero")
    start = time.monotonic()
    assert codes(sub, small) == {"S104" if kind == "link to a device" else "S103"}
    assert time.monotonic() - start < 5


def test_links_within_the_folder_are_followed_and_loops_are_not(sub, small):
    (sub / "data").mkdir()
    (sub / PREDICTIONS).rename(sub / "data" / "x")
    (sub / PREDICTIONS).symlink_to("data/x")
    assert check(sub, small).report.valid
    (sub / PREDICTIONS).unlink()
    (sub / PREDICTIONS).symlink_to(PREDICTIONS)
    assert codes(sub, small) == {"S105"}


@pytest.mark.parametrize("name", [PREDICTIONS, "card.toml"])
def test_file_without_read_permission(name, sub, small, monkeypatch):
    plain = os.open

    def refuse(path, *rest, **named):
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied")
        return plain(path, *rest, **named)

    monkeypatch.setattr(plain_file.os, "open", refuse)
    report = check(sub, small).report
    assert report.totals == {"S105": 1}
    assert "Permission denied" in report.problems[0].message


def test_submission_that_is_no_folder_is_a_failed_environment(tmp_path, small):
    with pytest.raises(EnvironmentFailure, match="expected a submission's folder"):
        check(tmp_path / "nowhere", small)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EnvironmentFailure, match="expected a submission's folder"):
        check(tmp_path / "file", small)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_compressed_file_of_several_members_is_read_whole(suffix, sub, small):
    compress = gzip.compress if suffix == "gz" else zstd.compress
    parts = [compress(line) for line in SOUND.splitlines(keepends=True)]
    report = check(replaced(sub, f"predictions.jsonl.{suffix}", b"".join(parts)), small).report
    assert (report.valid, report.answered) == (True, 5)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_every_cut_of_a_compressed_file_is_noticed(suffix, sub, small):
    data = (gzip.compress if suffix == "gz" else zstd.compress)(SOUND)
    path = replaced(sub, f"predictions.jsonl.{suffix}", data) / f"predictions.jsonl.{suffix}"
    for length in range(1, len(data)):
        path.write_bytes(data[:length])
        found = codes(sub, small)
        assert found & {"S107", "S108"}, length


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("zip", b"PK\x03\x04" + b"\0" * 50, "S111"),
        ("gzip", gzip.compress(SOUND), "S111"),
        ("zstd", zstd.compress(SOUND), "S111"),
        ("UTF-16 without a mark", SOUND.decode().encode("utf-16-le"), "S111"),
        ("a lone surrogate in raw bytes", SOUND.replace("门".encode(), b"\xed\xa0\x80"), "L101"),
        ("NUL bytes alone", b"\0" * 5000, "L102"),
        ("infinity", SOUND.replace(b"2.5", b"-Infinity"), "L105"),
        ("400 digits", SOUND.replace(b"2.5", b"9" * 400), "L106"),
        ("5,000 digits", SOUND.replace(b"2.5", b"9" * 5000), "L106"),
        ("a turn of 400 digits", SOUND.replace(b'"turn": 1', b'"turn": ' + b"1" * 400, 1), "L106"),
        ("1e400", SOUND.replace(b"2.5", b"1e400"), "L106"),
        ("deep objects", b'{"x":' * 50_000, "L104"),
        ("deep lists in a line that ends", b'{"x":' + b"[" * 9000 + b"]" * 9000 + b"}", "L104"),
        ("many quotation marks that never end", b'\\"' * 400_000, "L103"),
        ("no newline at all", b"x" * 3_000_000, "L100"),
    ],
)  # fmt: skip
def test_broken_text_has_its_code(name, data, code, sub, small):
    (sub / PREDICTIONS).write_bytes(data)
    start = time.monotonic()
    assert code in codes(sub, small)
    assert time.monotonic() - start < 5


def test_empty_file_leaves_every_turn_missing(sub, small):
    (sub / PREDICTIONS).write_bytes(b"")
    assert check(sub, small).report.totals == {"T100": 5}


def test_last_line_without_newline_counts(sub, small):
    (sub / PREDICTIONS).write_bytes(SOUND.removesuffix(b"\n"))
    assert check(sub, small).report.valid


BOMBS = {
    "a folder of zeros": lambda: bytes(100 << 20),
    "newlines": lambda: b"\n" * (100 << 20),
    "one line repeated": lambda: (encoded(LINES[0]) + b"\n") * 1_000_000,
    "keys": lambda: (b"{" + b'"a":1,' * 150_000 + b'"b":1}\n') * 80,
}


@pytest.mark.parametrize("suffix", ["gz", "zst"])
@pytest.mark.parametrize("kind", BOMBS)
def test_bomb_ends_in_bounded_memory_and_time(kind, suffix, sub, small):
    compress = gzip.compress if suffix == "gz" else zstd.compress
    replaced(sub, f"predictions.jsonl.{suffix}", compress(BOMBS[kind]()))
    run = limited(["validate", sub, "--benchmark", small.folder], memory=500 << 20, seconds=60)
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    assert re.search(r"\[(S109|S110|S115)\]", run.stdout)


def test_window_of_a_zstandard_frame_is_limited(sub, small):
    # A frame header that asks for a window of 2 GiB: descriptor 0, window exponent 31.
    frame = b"\x28\xb5\x2f\xfd" + bytes([0x00, (31 - 10) << 3]) + b"\x01\x00\x00"
    replaced(sub, "predictions.jsonl.zst", frame)
    run = limited(["validate", sub, "--benchmark", small.folder], memory=500 << 20, seconds=20)
    assert (run.returncode, "[S107]" in run.stdout) == (1, True), run.stdout + run.stderr


def limited(arguments, memory, seconds):
    """Run `ivcr` with so much address space and time."""
    script = "import sys; from harness.cli import main; sys.argv[0] = 'ivcr'; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )


TERMINAL = "\x1b[2J\x1b]0;owned\x07\u202e\u2028\x9b31m"


def test_nothing_of_a_file_reaches_the_terminal_unescaped(sub, small):
    name = TERMINAL + "x" * 5000
    lines = [
        {"dialogue_id": name, "turn": 1, name: 1},
        {"dialogue_id": "d1", "turn": 1, "videos": [name], "choice": [name]},
        {"dialogue_id": "d1", "turn": 2, "moments": [{"video_id": name, "start": 1, "end": 2}]},
        {"dialogue_id": "d1", "turn": 3, "response": [name]},
        {"dialogue_id": "d2", "turn": name, "videos": name, name: {name: name}},
    ]
    (sub / PREDICTIONS).write_bytes(b"".join(encoded(line) + b"\n" for line in lines))
    quoted = name.encode("unicode_escape").decode().replace("\\x", "\\u00")
    (sub / "card.toml").write_text(CARD + f'"{quoted}" = 1\n', "utf-8")
    report = check(sub, small).report
    assert {"T102", "L110", "V100", "H100", "M101", "L112", "C105"} <= set(report.totals)
    for problem in report.problems:
        assert problem.message.isprintable()
        assert len(problem.message) < 600
        assert problem.dialogue_id is None or len(problem.dialogue_id) < 500


def test_report_knows_nothing_of_gold(tmp_path, small):
    """The benchmark of these tests has no gold at all, so no rule can have looked at it."""
    assert not list(Path(small.folder).rglob("gold*"))
    assert check(write_submission(tmp_path / "sub"), small).report.valid
