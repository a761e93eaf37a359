"""The bounds of a check: sizes, counts, lengths and time."""

from __future__ import annotations

import time

from harness.errors import EnvironmentFailure, SubmissionError

CHANGED_FILES = 1000  # files that one change adds, edits or removes
LISTED = 200_000  # entries of folders that one check lists
CHANGED_RUNS = 50
COMPARED_TEAMS = 2000  # teams of the base whose names a new one is compared with
COMMITS = 100
HISTORY_BYTES = 512 << 20  # all objects that the commits of a change add, as Git keeps them
TOTAL_BYTES = 512 << 20  # of a change's own files
COMPARED_BYTES = 8 << 30  # of files on the disk that are compared
COMPARED_FILE = 128 << 20  # of one that is compared with an object of Git
FOLDER_DEPTH = 32
TREE_BYTES = 8 << 20  # one folder's list, as Git keeps it
PATH_BYTES = 200  # of a whole path
NAME_BYTES = 100  # of one name: what the ledger takes
SECONDS = 600.0
JSON_BYTES = 1 << 20
COMMENT_BYTES = 60_000  # GitHub takes 65,536 characters

TOML_BYTES = 64 << 10
MOST_BYTES = {
    "team.toml": TOML_BYTES,
    "card.toml": TOML_BYTES,
    "predictions.example.jsonl": TOML_BYTES,
    "run.json": 4 << 20,
    "environment.json": 4 << 20,
    "scores.json": 32 << 20,
    "scores.outcomes.npz": 64 << 20,
    # GitHub refuses files of 100 MiB.
    "predictions.jsonl": 95 << 20,
    "predictions.jsonl.gz": 95 << 20,
    "predictions.jsonl.zst": 95 << 20,
}


class ChangeRefusedError(SubmissionError):
    """A change that cannot be taken: `code` for programs, `path` where it lies (None: nowhere)."""

    def __init__(self, code: str, path: bytes | None, text: str) -> None:
        super().__init__(text)
        self.code, self.path, self.text = code, path, text


class Deadline:
    """The time until which a check may run."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Begin to count now; `seconds`: how long the check may take."""
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._end - time.monotonic())

    def require(self) -> None:
        """Raises ChangeRefusedError if no time is left."""
        if self.remaining <= 0:
            raise ChangeRefusedError(
                "time",
                None,
                f"the check took longer than {self.seconds:g} s; send fewer and smaller files",
            )


class ObjectsAbsentError(EnvironmentFailure):
    """A repository that lacks what the check reads."""
