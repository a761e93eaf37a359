"""Whoever holds the published head sees every change of a ledger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.ledger import append, read_ledger
from harness.challenge.ledger_check import MOST, require_head, verify
from harness.challenge.ledger_lines import START, LedgerLine, digest, encode, time_text
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.challenge.lines import EVENT, NOON, accepted, event, write_ledger

EVENTS = [accepted("a/1", 1), event("scored", "a/1", 1, scores_sha256=digest(b"")),
          accepted("b/1", 2), event("withdrawn", "a/1", why="Ihr Wunsch: größer ✓"),
          event("phase-closed", why="phase dev")]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    write_ledger(folder, EVENTS)
    return folder, (folder / "ledger.jsonl").read_bytes(), read_ledger(folder).head


def problems(folder, data, head):
    (folder / "ledger.jsonl").write_bytes(data)
    return verify(folder, head).problems


def test_a_sound_ledger_has_no_problems(ledger):
    folder, data, head = ledger
    assert problems(folder, data, head) == ()
    assert verify(folder, head) == ((), 5, head, 0, 0)


def test_every_changed_byte_is_found(ledger):
    folder, data, head = ledger
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        assert problems(folder, bytes(changed), head), place


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_any_changed_byte_is_found(ledger, place, byte):
    folder, data, head = ledger
    place %= len(data)
    changed = data[:place] + bytes([byte]) + data[place + 1 :]
    assert bool(problems(folder, changed, head)) == (changed != data)


@given(events=st.lists(EVENT, min_size=1, max_size=6), data=st.data())
def test_dropped_swapped_doubled_and_cut_lines_are_found(events, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    lines = write_ledger(folder, events).read_bytes().splitlines(True)
    head = read_ledger(folder).head
    at = data.draw(st.integers(0, len(lines) - 1))
    to = data.draw(st.integers(0, len(lines) - 1))
    swapped = list(lines)
    swapped[at], swapped[to] = swapped[to], swapped[at]
    for changed in (lines[:at] + lines[at + 1 :], lines[:at], lines[: at + 1] + lines[at:]):
        assert problems(folder, b"".join(changed), head)
    assert bool(problems(folder, b"".join(swapped), head)) == (at != to)


def test_without_the_head_all_but_the_end_shows(ledger):
    folder, data, _ = ledger
    lines = data.splitlines(True)
    assert problems(folder, b"".join(lines[:-1]), None) == ()
    for at in range(4):
        found = problems(folder, b"".join(lines[:at] + lines[at + 1 :]), None)
        assert {problem.line for problem in found} == {at + 1}
        changed = [*lines[:at], lines[at].replace(b"2026-03", b"2026-02"), *lines[at + 1 :]]
        found = problems(folder, b"".join(changed), None)
        assert at + 2 in {problem.line for problem in found}


def test_a_ledger_written_anew_does_not_have_the_published_head(ledger, tmp_path):
    *_, head = ledger
    write_ledger(tmp_path, [*EVENTS[:1], *EVENTS[2:]])
    (problem,) = verify(tmp_path, head).problems
    assert problem.line is None
    assert str(problem).startswith(f"ledger.jsonl: no line has the published head {head}: ")


def test_lines_added_after_the_published_head_are_counted(ledger):
    folder, data, head = ledger
    (folder / "ledger.jsonl").write_bytes(data)
    append(folder, [accepted("c/1", 9)])
    assert verify(folder, head).problems == ()
    assert verify(folder, head).since == 1
    assert verify(folder, START).since == 6


def test_a_time_that_goes_back_is_found(tmp_path):
    first = encode(LedgerLine(event="accepted", seq=1, at=time_text(NOON), prev=START))
    second = LedgerLine(event="accepted", seq=2, at="2026-02-28T00:00:00Z", prev=digest(first))
    (problem,) = problems(tmp_path, first + encode(second), None)
    assert problem == (
        2,
        "expected a time from 2026-03-01T12:00:00Z on, found 2026-02-28T00:00:00Z",
    )


def test_a_file_of_anything_gives_a_bounded_report(tmp_path):
    found = problems(tmp_path, b"\n" * 5000 + b"\x1b[31mx" * 30_000 + b"\n", None)
    assert len(found) == MOST
    assert all("\x1b" not in problem.text for problem in found)


def test_a_head_is_64_hexadecimal_digits():
    assert require_head(f" {START.replace('0', 'A')}\n") == START.replace("0", "a")
    with pytest.raises(WrongUsageError, match="--head: expected 64 hexadecimal digits"):
        require_head("abc")


def test_an_absent_folder_is_no_empty_ledger(tmp_path):
    with pytest.raises(
        EnvironmentFailure, match=r"expected a folder of .* submissions, found none"
    ):
        verify(tmp_path / "absent")
    assert verify(tmp_path).lines == 0


def test_what_git_did_to_a_ledger_is_said(ledger):
    folder, data, _ = ledger
    (first, *_) = problems(folder, data.replace(b"\n", b"\r\n"), None)
    assert "ends in CR LF" in first[1]
    (first, *_) = problems(folder, b"<<<<<<< HEAD\n" + data, None)
    assert "merge conflict" in first[1]
