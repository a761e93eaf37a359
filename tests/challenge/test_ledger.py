"""The ledger: what is written is read, kills and other writers leave it valid."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.challenge import ledger as module
from harness.challenge.ledger import append, read_ledger, writing
from harness.challenge.ledger_check import verify
from harness.challenge.ledger_lines import (
    START,
    LedgerLine,
    decode,
    encode,
    parse_time,
    time_text,
)
from harness.errors import EnvironmentFailure
from harness.schemas.documents import mismatches
from tests.challenge.lines import EVENT, NOON, accepted, event, write_ledger
from tests.conftest import WAIT

WRITER = """
import sys
from pathlib import Path
from harness.challenge.ledger import append
from harness.challenge.ledger_lines import LedgerEvent
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for number in range(count):
    append(folder, [LedgerEvent(event="accepted", team=name, run=str(number), why="phase dev")] * 2)
    print(number, flush=True)
"""


@given(events=st.lists(EVENT, max_size=5))
def test_what_is_written_is_read_and_fits_the_published_schema(events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    written = append(folder, events, now=NOON)
    found = read_ledger(folder)
    assert found.lines == written
    data = (folder / "ledger.jsonl").read_bytes()
    for number, (line, given_) in enumerate(zip(data.splitlines(True), events, strict=True), 1):
        document = json.loads(line)
        assert list(mismatches("ledger", document)) == []
        assert document["seq"] == number
        assert document["why"] == given_.why


def test_a_line_names_the_sha256_of_the_whole_line_before(tmp_path):
    lines = write_ledger(tmp_path, [accepted("a/1", 1), accepted("a/2", 2)]).read_bytes()
    first, second = lines.splitlines(True)
    assert json.loads(first)["prev"] == "0" * 64
    assert json.loads(second)["prev"] == hashlib.sha256(first).hexdigest()
    shell = f"tail -n 1 {tmp_path}/ledger.jsonl | sha256sum"
    head = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert head.split()[0] == read_ledger(tmp_path).head


def test_keys_are_sorted_and_there_are_no_spare_spaces(tmp_path):
    line = write_ledger(tmp_path, [accepted("a/1", 1)]).read_text()
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) + "\n"


def test_an_absent_ledger_has_no_lines(tmp_path):
    assert read_ledger(tmp_path) == ((), module.Position())
    assert read_ledger(tmp_path).head == START == verify(tmp_path).head


def test_the_time_never_goes_back(tmp_path):
    append(tmp_path, [accepted("a/1", 1)], now=NOON)
    append(tmp_path, [accepted("a/2", 2)], now=NOON - timedelta(days=1))
    append(tmp_path, [accepted("a/3", 3)], now=NOON + timedelta(seconds=1.9))
    assert [line.time for line in read_ledger(tmp_path).lines] == [
        NOON,
        NOON,
        NOON + timedelta(seconds=1),
    ]


def test_without_a_given_time_the_clock_is_read(tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    (line,) = append(tmp_path, [accepted("a/1", 1)])
    assert before <= line.time <= datetime.now(UTC)


@given(st.datetimes(datetime(1, 1, 2), datetime(9998, 1, 1), timezones=st.just(UTC)))
def test_a_time_is_read_as_it_was_written(time_):
    assert parse_time(time_text(time_)) == time_.replace(microsecond=0)


def test_reading_goes_on_where_it_ended(tmp_path):
    write_ledger(tmp_path, [accepted("a/1", 1)])
    first = read_ledger(tmp_path)
    append(tmp_path, [accepted("a/2", 2)])
    then = read_ledger(tmp_path, first.position)
    assert first.lines + then.lines == read_ledger(tmp_path).lines
    assert then.head == read_ledger(tmp_path).head


@pytest.mark.parametrize("wrong", [
    event("accepted", "../x"), event("accepted", "a/" + "x" * 101), accepted("a/1", 1, why=""),
    accepted("a/1", 1, why="x" * 1001), event("accepted", "a/-x"), event("won", "a/x"),
])  # fmt: skip
def test_an_event_that_the_schema_refuses_is_not_written(wrong, tmp_path):
    with pytest.raises(ValueError, match=r"Expected|Invalid"):
        append(tmp_path, [accepted("a/1", 1), wrong])
    assert read_ledger(tmp_path).lines == ()


@given(cut=st.integers(1, 400))
@settings(max_examples=30)
def test_a_line_that_was_not_finished_counts_for_nothing_and_is_cut_off(cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    path = write_ledger(folder, [accepted("a/1", 1), accepted("a/2", 2)])
    before = path.read_bytes()
    third = encode(LedgerLine(event="accepted", seq=3, at=time_text(NOON), prev=START))
    with path.open("ab") as stream:
        stream.write(third[: min(cut, len(third) - 1)])
    assert len(read_ledger(folder).lines) == 2
    assert verify(folder).problems == ()
    assert verify(folder).unfinished == min(cut, len(third) - 1)
    append(folder, [accepted("a/3", 3)])
    assert path.read_bytes().startswith(before)
    assert [line.run for line in read_ledger(folder).lines] == ["1", "2", "3"]
    assert verify(folder, read_ledger(folder).head) == ((), 3, read_ledger(folder).head, 0, 0)


def test_a_full_disk_leaves_the_ledger_as_it_was(tmp_path, monkeypatch):
    path = write_ledger(tmp_path, [accepted("a/1", 1)])
    before, real = path.read_bytes(), os.write

    def half(descriptor, data):
        if len(data) > 10:
            return real(descriptor, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "write", half)
    with pytest.raises(EnvironmentFailure, match=r"ledger\.jsonl: cannot be written: No space"):
        append(tmp_path, [accepted("a/2", 2, why="x" * 9)])
    monkeypatch.undo()
    assert path.read_bytes() == before


@pytest.mark.parametrize("spoil", [
    lambda data: data.replace(b'"seq":2', b'"seq":3'),
    lambda data: data + b"{}\n",
    lambda data: data + b"x" * (1 << 18),
    lambda data: data.replace(b'"run":"1"', b'"run":"7"'),
])  # fmt: skip
def test_a_broken_ledger_is_not_read(spoil, tmp_path):
    path = write_ledger(tmp_path, [accepted("a/1", 1), accepted("a/2", 2)])
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(EnvironmentFailure, match=r"ledger\.jsonl:\d+: the ledger is broken: "):
        read_ledger(tmp_path)


@pytest.mark.parametrize("end", [b"{}\n", b"\n", b"x" * (1 << 18)])
def test_nothing_is_added_to_a_broken_end(end, tmp_path):
    path = write_ledger(tmp_path, [accepted("a/1", 1)])
    path.write_bytes(path.read_bytes() + end)
    before = path.read_bytes()
    with pytest.raises(EnvironmentFailure, match="the ledger is broken"):
        append(tmp_path, [accepted("a/2", 2)])
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_plain_file_is_a_ledger(kind, tmp_path):
    path = tmp_path / "ledger.jsonl"
    if kind == "link":
        (tmp_path / "elsewhere").write_bytes(b"")
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(EnvironmentFailure, match=r"ledger\.jsonl: "):
        read_ledger(tmp_path)
    with pytest.raises(EnvironmentFailure, match=r"ledger\.jsonl: "):
        append(tmp_path, [accepted("a/1", 1)])


def test_a_writer_that_waited_writes_to_the_file_that_stands_there_now(tmp_path):
    path = write_ledger(tmp_path, [accepted("a/1", 1)])
    with writing(tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path, "b", "1"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        copy = path.with_suffix(".new")
        copy.write_bytes(path.read_bytes())
        copy.replace(path)
    assert process.wait(WAIT) == 0
    process.stdout.close()
    assert [line.team for line in read_ledger(tmp_path).lines] == ["a", "b", "b"]


def writers(folder, names, count):
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, name, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]


def test_two_writers_at_once_leave_a_valid_ledger_with_all_lines(tmp_path):
    both = writers(tmp_path, "ab", 40)
    assert [process.wait(WAIT) for process in both] == [0, 0]
    for process in both:
        process.stdout.close()
    lines = read_ledger(tmp_path).lines
    for name in "ab":
        assert [line.run for line in lines if line.team == name] == [
            str(number) for number in range(40) for _ in range(2)
        ]
    assert verify(tmp_path, read_ledger(tmp_path).head).problems == ()


def kill_writers(folder, rounds, seed):
    """Kill one of two writers at a random time, again and again; the other one goes on."""
    draws = random.Random(seed)
    for number in range(rounds):
        names = (f"a{number}", f"b{number}")
        killed, other = writers(folder, names, 15)
        for process in (killed, other):
            process.stdout.readline()
        time.sleep(draws.uniform(0, 0.04))
        killed.send_signal(signal.SIGKILL)
        told = killed.stdout.read().split()
        assert other.wait(WAIT) == 0
        killed.wait(WAIT)
        other.stdout.close()
        killed.stdout.close()
        lines = read_ledger(folder).lines
        assert verify(folder, read_ledger(folder).head).problems == ()
        runs = [line.run for line in lines if line.team == names[0]]
        # All that was said to be written is there, and at most one more write, or half of it.
        assert runs[: 2 * len(told)] == [each for each in told for _ in range(2)]
        assert len(runs) <= 2 * len(told) + 2
        assert sum(line.team == names[1] for line in lines) == 30


def test_a_killed_writer_leaves_a_valid_ledger(tmp_path):
    kill_writers(tmp_path, 3, seed=1)


@pytest.mark.long
def test_a_hundred_killed_writers_leave_a_valid_ledger(tmp_path):
    kill_writers(tmp_path, 100, seed=2)


@given(event_=EVENT)
def test_bytes_of_a_line_are_read_in_one_form_alone(event_, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    append(folder, [event_], now=NOON)
    data = (folder / "ledger.jsonl").read_bytes()
    assert encode(decode(data)) == data
    for other in (data[:-1], b" " + data, data.replace(b',"team', b', "team'), data + b"\n"):
        with pytest.raises(ValueError, match=r"line|canonical"):
            decode(other)


def test_an_absent_folder_of_submissions_has_no_ledger(tmp_path):
    assert read_ledger(tmp_path).lines == ()
    with pytest.raises(EnvironmentFailure, match=r"expected a folder of .*submissions, found none"):
        read_ledger(tmp_path / "absent")
