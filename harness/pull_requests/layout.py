"""Whose a changed file is: a file of one team's folder, or one that a change must not touch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.pull_requests.bounds import MOST_BYTES, TOTAL_BYTES
from harness.pull_requests.change_report import FindingLog
from harness.pull_requests.changed_files import ChangedFile
from harness.pull_requests.names import folder_name_fault, path_faults, team_name_fault
from harness.pull_requests.trees import PLAIN, Tree
from harness.submission import EXAMPLE, PREDICTIONS

TEAM_FILE = "team.toml"
RUN_FILES = frozenset(
    ("card.toml", *PREDICTIONS, "run.json", "environment.json", "scores.json",
     "scores.outcomes.npz")
)  # fmt: skip
_LFS = (b"version https://git-lfs", b"version https://hawser", b"version http://git-media")
_LFS_BYTES = 1024  # a pointer is shorter
_KINDS = {
    "link": ("link", "expected a plain file, found a symbolic link; put the file itself there"),
    "submodule": ("submodule", "expected a plain file, found a submodule; put the files there"),
    "executable": ("executable", "expected a plain file, found an executable one (`chmod 644`)"),
    "folder": ("stray-file", "an empty folder belongs to no run; remove it"),
    "other": ("link", "expected a plain file, found another kind; put the file itself there"),
}
_ORGANIZERS = {
    "ledger.jsonl": ("ledger", "the ledger is written by the organizers' commands alone; "),
    "challenge.toml": ("challenge", "the challenge is the organizers'; "),
}
_LEAVE = "leave it as it is in the base"


class TeamFile(NamedTuple):
    """A changed file of a team; `inner`: the names that lead to it from the submissions."""

    inner: tuple[bytes, ...]
    change: ChangedFile

    @property
    def team(self) -> bytes:
        """The team's folder."""
        return self.inner[0]

    @property
    def run(self) -> bytes | None:
        """The run's folder; None for a file of the team itself."""
        return self.inner[1] if len(self.inner) > 2 else None

    @property
    def path(self) -> bytes:
        """The whole path."""
        return b"/".join(self.change.path)


def placed(
    changes: list[ChangedFile], above: tuple[bytes, ...], log: FindingLog
) -> Iterator[TeamFile]:
    """The changes that lie in a team's folder; what is wrong with the others goes to `log`.

    `above`: the names that lead to the submissions.
    """
    for change in changes:
        path = b"/".join(change.path)
        if change.after is not None:
            for fault in path_faults(change.path):
                log.add(fault.code, path, fault.text)
        inner = change.path[len(above) :]
        if change.path[: len(above)] != above or not inner:
            log.add("outside", path, f"lies outside of the submissions; {_LEAVE}")
        elif len(inner) == 1 and _is_no_team(change, inner[0]):
            code, text = _ORGANIZERS.get(
                inner[0].decode("utf-8", "replace").lower(),
                ("outside", "lies beside the teams' folders; "),
            )
            log.add(code, path, text + _LEAVE)
        else:
            yield TeamFile(inner, change)


def _is_no_team(change: ChangedFile, name: bytes) -> bool:
    """Whether what lies beside the teams' folders is a file, in whatever way it changed."""
    kinds = {item.kind for item in change[1:] if item is not None}
    return not kinds.isdisjoint(PLAIN) or name.decode("utf-8", "replace").lower() in _ORGANIZERS


def check_files(files: list[TeamFile], head: Tree, log: FindingLog) -> int:
    """Check kind, place and size of each new or edited file; returns their bytes in all."""
    total = 0
    for file in files:
        item = file.change.after
        if item is None:
            continue
        if item.kind in _KINDS:
            code, text = _KINDS[item.kind]
            log.add(code, file.path, text)
            continue
        size = head.size(item)
        total += size
        _check_place(file, log)
        _check_size(file, size, log)
        if size < _LFS_BYTES and head.read(item, _LFS_BYTES).startswith(_LFS):
            log.add("lfs-pointer", file.path, "is a pointer of Git LFS; commit the file itself")
    if total > TOTAL_BYTES:
        log.add(
            "too-large", None, f"expected at most {TOTAL_BYTES:,} bytes in all, found {total:,}"
        )
    return total


def _check_place(file: TeamFile, log: FindingLog) -> None:
    name = file.inner[-1].decode("utf-8", "replace")
    if file.run is None:
        if name != TEAM_FILE:
            text = f"a team's folder holds {TEAM_FILE} and folders of runs; remove it"
            log.add("stray-file", file.path, text)
    elif len(file.inner) > 3:
        log.add("stray-file", file.path, "a run's folder holds no folders; remove it")
    elif name == EXAMPLE:
        text = "is the template's example and belongs to no run; you may remove it"
        log.add("stray-file", file.path, text, "warning")
    elif name not in RUN_FILES:
        text = f"belongs to no run, whose files are {', '.join(sorted(RUN_FILES))}; remove it"
        log.add("stray-file", file.path, text)


def _check_size(file: TeamFile, size: int, log: FindingLog) -> None:
    most = MOST_BYTES.get(file.inner[-1].decode("utf-8", "replace"))
    if most is not None and size > most:
        text = f"expected at most {most:,} bytes, found {size:,}; compress it"
        log.add("too-large", file.path, text)


def check_folder_names(files: list[TeamFile], above: tuple[bytes, ...], log: FindingLog) -> None:
    """Check the names of the folders of the team and its runs that a change adds to."""
    added = [file for file in files if file.change.after is not None]
    folders = {file.inner[:depth] for file in added for depth in (1, 2) if len(file.inner) > depth}
    for inner in sorted(folders):
        path = (*above, *inner)
        fault = folder_name_fault(inner[-1]) if len(inner) > 1 else team_name_fault(inner[0])
        if fault is not None and not list(path_faults(path)):
            log.add(fault.code, b"/".join(path), fault.text)
