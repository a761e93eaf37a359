"""challenge.toml: what is read, and what is said of a file that is not as it must be."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from harness.challenge.challenge_file import (
    DEFAULT_FEEDBACK,
    read_challenge,
    require_challenge,
    terms_version,
)
from harness.errors import WrongUsageError

CHALLENGE = """
title = "IVCR challenge"
terms = "One account a team.\\n"
[[phase]]
name = "dev"
kind = "files"
split = "val"
history = "own"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00+08:00
quota = 3
daily = 1
feedback = "ladder"
[[phase]]
name = "final"
kind = "exam"
split = "test"
history = "own"
opens = "2026-02-01T00:00:00.123456789z"
closes = "2026-03-01 23:59:59-05:30"
exam_hours = 2.5
dialogues = 10
"""


def read(folder, text):
    (folder / "challenge.toml").write_text(text)
    return read_challenge(folder)


def test_times_are_in_utc(tmp_path):
    dev, final = read(tmp_path, CHALLENGE).phases
    assert dev.opens == datetime(2026, 1, 1, tzinfo=UTC)
    assert dev.closes == datetime(2026, 1, 31, 16, tzinfo=UTC)
    assert final.opens == datetime(2026, 2, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert final.closes == datetime(2026, 3, 2, 5, 29, 59, tzinfo=UTC)
    assert {time.utcoffset() for time in (dev.closes, final.closes)} == {timedelta(0)}


def test_a_phase_is_open_from_its_opening_until_before_its_closing(tmp_path):
    dev = read(tmp_path, CHALLENGE).phases[0]
    second = timedelta(seconds=1)
    times = (dev.opens - second, dev.opens, dev.closes - second, dev.closes)
    assert [dev.is_open(time) for time in times] == [False, True, True, False]


def test_what_is_absent_has_its_default(tmp_path):
    challenge = read(tmp_path, CHALLENGE)
    assert challenge.phases[1].feedback == DEFAULT_FEEDBACK
    assert (challenge.phases[1].quota, challenge.phases[1].daily) == (None, None)
    assert (challenge.organizers, challenge.links, challenge.headline) == ((), {}, None)
    assert challenge.phase("dev").quota == 3


def test_terms_are_named_by_their_hash(tmp_path):
    expected = hashlib.sha256(b"One account a team.").hexdigest()[:16]
    assert read(tmp_path, CHALLENGE).terms_version == expected
    assert terms_version(None) is terms_version(" ") is None


def test_without_the_file_there_is_no_challenge(tmp_path):
    assert read_challenge(tmp_path) is None
    with pytest.raises(WrongUsageError, match=r"challenge\.toml: expected the challenge's file"):
        require_challenge(tmp_path)


@pytest.mark.parametrize(("old", "new", "message"), [
    ('name = "final"', 'name = "Dev"', 'phase.1.name: expected a name of its own, found "Dev"'),
    ('name = "final"', 'name = "a; b"', "phase.1.name: expected no semicolon"),
    ('name = "final"', 'name = " a"', "phase.1.name: expected no semicolon and no space"),
    ("2026-02-01T00:00:00+08:00", "2026-01-01T08:00:00+08:00",
     "phase.0: expected to open before it closes, found opens 2026-01-01T00:00:00+00:00 and closes "
     "2026-01-01T00:00:00+00:00"),
    ("-05:30", "-99:30", "phase.1.closes: expected a time with its offset"),
    ("2026-02-01T00:00:00.123456789z", "0001-01-01T00:00:00+01:00",
     "phase.1.opens: expected a time with its offset"),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "phase.0.opens: expected a time with its"),
    ('title = "IVCR challenge"', "title = [", "challenge.toml: not TOML"),
    ('kind = "exam"', 'kind = "files"', "phase.1.exam_hours: expected no such key"),
])  # fmt: skip
def test_a_wrong_file_is_named_with_place_and_next_step(old, new, message, tmp_path):
    with pytest.raises(WrongUsageError) as caught:
        read(tmp_path, CHALLENGE.replace(old, new))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "challenge.toml"))
    assert "mend challenge.toml" in str(caught.value)


def test_an_unknown_phase_is_answered_with_the_nearest_one(tmp_path):
    with pytest.raises(WrongUsageError, match='no phase "finale"; did you mean final'):
        read(tmp_path, CHALLENGE).phase("finale")
