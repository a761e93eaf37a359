"""Lines on progress: when the first comes, how far apart they are, what they promise."""

from itertools import pairwise

import pytest

from baselines import progress_notes
from baselines.progress_notes import ProgressNotes, duration


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in seconds."""
    now = [100.0]
    monkeypatch.setattr(progress_notes.time, "monotonic", lambda: now[0])
    return now


def lines(clock, seconds, total, done=0):
    """What is said of work with a step a second."""
    said = []
    notes = ProgressNotes(said.append, "features", "videos", done)
    start = clock[0]
    for second in range(1, seconds + 1):
        clock[0] = start + second
        notes.update(done + second, total)
    return said


def test_short_work_says_nothing(clock):
    assert lines(clock, 1, 100) == []


def test_lines_come_after_2_4_8_seconds_and_at_last_once_a_minute(clock):
    said = lines(clock, 300, 10_000)
    done = [int(line.split()[1].replace(",", "")) for line in said]
    assert done[:6] == [2, 6, 14, 30, 62, 122]
    assert {later - earlier for earlier, later in pairwise(done[5:])} == {60}


def test_the_time_left_is_at_the_pace_so_far(clock):
    assert lines(clock, 2, 42) == ["features: 2 of 42 videos, about 40 s left"]


def test_what_an_earlier_run_did_is_no_pace(clock):
    assert lines(clock, 2, 1_042, done=1_000) == [
        "features: 1,002 of 1,042 videos, about 40 s left"
    ]


def test_the_end_says_nothing(clock):
    assert lines(clock, 2, 2) == []


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "about 0 s"), (99, "about 99 s"), (600, "about 10 min"), (7_200, "about 2.0 h")],
)
def test_durations_are_for_people(seconds, expected):
    assert duration(seconds) == expected
