"""Two phases of a challenge from its first day to its last: every step is one command."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness.challenge.challenge_file import read_challenge
from tests.conftest import REPOSITORY, WAIT
from tests.rehearsal import benchmarks
from tests.rehearsal.clock import ivcr
from tests.rehearsal.teams import Submitters

CHALLENGE = """
title = "A rehearsal"
organizers = ["The organizers"]
terms = "One account a team."
[[phase]]
name = "dev"
kind = "files"
split = "val"
history = "own"
opens = 2026-01-05T00:00:00Z
closes = 2026-02-01T00:00:00Z
quota = 3
daily = 2
feedback = "exact"
[[phase]]
name = "final"
kind = "files"
split = "test"
history = "own"
opens = 2026-02-01T00:00:00Z
closes = 2026-03-01T00:00:00Z
quota = 2
daily = 1
feedback = "ladder"
"""


class Course:
    """The organizers' machine: what lies where, and each command that they type."""

    def __init__(self, root, samples, meta):
        self.root, self.tree, self.samples, self.meta = root, root / "tree", samples, meta
        self.submissions = self.tree / "submissions"
        self.submissions.mkdir(parents=True)
        (self.submissions / "challenge.toml").write_text(CHALLENGE)
        self.benchmark = benchmarks.imported(root, samples, meta, "first").folder
        terms = read_challenge(self.submissions).terms_version
        self.teams = Submitters(self.submissions, benchmarks.Benchmark(self.benchmark), terms)
        self.now, self.heads, self.said = "2026-01-05T12:00:00Z", [], {}

    @property
    def results(self):
        return self.root / "results"

    def ivcr(self, *arguments, code=0):
        """One command now; it must end with this exit code."""
        ended = ivcr(self.now, *arguments)
        assert ended.code == code, (arguments, ended)
        return ended

    def intake_arguments(self, *more, submissions=None, place=None):
        """`ivcr intake` as it is typed; `place`: where results and receipts go."""
        place = place or self.root
        return (
            "intake", submissions or self.submissions, "--benchmark", self.benchmark,
            "--results", place / "results", "--receipts", place / "receipts",
            "--processes", "1", *more,
        )  # fmt: skip

    def intake(self, *more):
        return self.ivcr(*self.intake_arguments(*more))

    def build(self, split, site=None, submissions=None, results=None):
        """`ivcr leaderboard build`; the published head is kept."""
        site = self.root / (site or f"site-{split}")
        ended = self.ivcr(
            "leaderboard", "build", submissions or self.submissions, "--benchmark", self.benchmark,
            "--split", split, "--out", site, "--results", results or self.results,
            "--organizers", "amber", "--processes", "1",
        )  # fmt: skip
        self.heads.append(published_head(site))
        return ended

    def rows(self, split):
        """The rows of a board."""
        path = self.root / f"site-{split}" / "leaderboard.json"
        return {row["system"].removeprefix("System of "): row
                for row in json.loads(path.read_text())["rows"]}  # fmt: skip

    def pull_request(self, name, change, *, author, split="val", code=0):
        """`ivcr pr check` on a change of the tree; taken over if nothing stands against it."""
        head = self.root / "heads" / name
        shutil.copytree(self.tree, head, symlinks=True)
        change(head / "submissions")
        ended = self.ivcr(
            "pr", "check", self.tree, head, "--benchmark", self.root / "public", "--split", split,
            "--author", author, "--out", self.root / "checks" / name, code=code,
        )  # fmt: skip
        if code == 0:
            shutil.rmtree(self.tree)
            shutil.copytree(head, self.tree, symlinks=True)
        return ended

    def killed_intake(self):
        """An intake in a process of its own that is killed as soon as it has kept a new result."""
        before = len(list(self.results.glob("*/*")))
        command = [sys.executable, "-m", "tests.rehearsal.clock", self.now]
        process = subprocess.Popen(
            [*command, *map(str, self.intake_arguments())],
            cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + WAIT
        while len(list(self.results.glob("*/*"))) == before and time.monotonic() < until:
            assert process.poll() is None, "it ended before it kept a result"
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def published_head(site):
    """The ledger's head as the first page shows it."""
    page = (site / "index.html").read_text("utf-8")
    (head,) = re.findall(r'<span class="ledger">ledger.jsonl <code>([0-9a-f]{64})</code>', page)
    return head


def mentions(folder, text):
    """The files below a folder whose name or bytes have a text."""
    return [
        path
        for path in Path(folder).rglob("*")
        if text in path.name or (path.is_file() and text.encode() in path.read_bytes())
    ]
