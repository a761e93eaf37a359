"""A challenge of two phases on a small benchmark, and teams that hand in."""

import json
from datetime import UTC, datetime

import pytest

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import read_challenge
from harness.challenge.intake import IntakeSettings, intake
from harness.challenge.ledger import read_ledger
from harness.challenge.ledger_check import verify
from harness.files import zstd
from harness.records import Card
from harness.submission import write
from tests.answers import same_videos
from tests.baselines.conftest import CAT, DOG, imported

CHALLENGE = """
title = "Toy"
terms = "One account a team."
[[phase]]
name = "dev"
kind = "files"
split = "train"
history = "own"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00Z
quota = 3
daily = 2
feedback = "exact"
[[phase]]
name = "final"
kind = "files"
split = "test"
history = "own"
opens = 2026-01-15T00:00:00Z
closes = 2026-02-15T00:00:00Z
quota = 1
feedback = "none"
[[phase]]
name = "exam"
kind = "exam"
split = "test"
history = "none"
opens = 2026-01-01T00:00:00Z
closes = 2026-03-01T00:00:00Z
"""


def day(number, hour=12):
    """A time in January 2026, or after it."""
    return datetime(2026, 1 + (number - 1) // 31, 1 + (number - 1) % 31, hour, tzinfo=UTC)


class Organizers:
    """A submissions folder, what teams put into it, and the organizers' intake."""

    def __init__(self, root, **settings):
        self.benchmark = imported(root, **settings)
        self.submissions = root / "submissions"
        self.submissions.mkdir()
        (self.submissions / "challenge.toml").write_text(CHALLENGE)
        self.terms = read_challenge(self.submissions).terms_version
        self.settings = IntakeSettings(
            self.submissions, self.benchmark.folder, root / "results", root / "receipts", 1
        )

    def team(self, name, title=None, **more):
        """A team that accepted the terms."""
        (self.submissions / name).mkdir(exist_ok=True)
        table = {"name": title or name, "terms": self.terms} | more
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        (self.submissions / name / "team.toml").write_text("\n".join(lines))

    def put(self, key, videos=(CAT, DOG), split="train", history="own", team=None, **card):
        """A run of a team; the team is made where there is none."""
        name, _, _ = key.partition("/")
        if not (self.submissions / name).exists():
            self.team(name)
        given = same_videos(self.benchmark.split(split).turns, videos)
        made = Card(1, team or name, "cat first", history, "unused", **card)
        write(self.submissions / key, made, given)
        return self.submissions / key

    def spoil(self, key):
        """Make a run invalid: its second line goes."""
        path = self.submissions / key / "predictions.jsonl.zst"
        lines = zstd.decompress(path.read_bytes()).splitlines(True)
        path.write_bytes(zstd.compress(b"".join(lines[:1] + lines[2:])))

    def intake(self, now, **settings):
        """One intake; its report."""
        return intake(self.settings._replace(**settings), now=now)

    def events(self):
        """The ledger as (event, TEAM/RUN, why); the ledger is whole."""
        ledger = read_ledger(self.submissions)
        assert verify(self.submissions, ledger.head).problems == ()
        return [(line.event, line.key, line.why) for line in ledger.lines]

    def events_of(self, key):
        return [(event, why) for event, name, why in self.events() if name == key]

    def read_benchmark(self):
        """The benchmark as it lies there now."""
        self.benchmark = Benchmark(self.benchmark.folder)
        return self.benchmark


@pytest.fixture
def organizers(tmp_path):
    return Organizers(tmp_path)
