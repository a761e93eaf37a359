"""The project's own git repository, read by `git`: which commit runs, and what a commit held.

Nothing is checked out but in `worktree`, and nothing of the repository is changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from harness.errors import EnvironmentFailure
from harness.files import shown
from harness.replacement import temporary_folder

ROOT = Path(__file__).resolve().parents[2]
CODE = ("harness", "baselines", "leaderboard")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SECONDS = 60  # that a command of git may take


class HistoryError(EnvironmentFailure):
    """The history at hand does not hold what is asked for (exit code 3).

    `complete`: it is whole, so that what it lacks is no part of the project's.
    """

    def __init__(self, text: str, *, complete: bool = False) -> None:
        super().__init__(text)
        self.complete = complete


class CodeState(NamedTuple):
    """The commit of the running code (hex), and whether a file of it was changed since.

    Both are None where the code does not run from a git checkout of the project.
    """

    commit: str | None = None
    changed: bool | None = None


def code_state(folders: tuple[str, ...] = CODE, root: Path = ROOT) -> CodeState:
    """The state of the code in `folders` of the checkout `root`; files that are new count too."""
    if not _is_checkout(root):
        return CodeState()
    head = _git(root, "rev-parse", "--verify", "HEAD^{commit}")
    status = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *folders)
    if head is None or status is None:
        return CodeState()
    return CodeState(head.decode().strip(), bool(status.strip()))


def require_in_history(commit: str, root: Path = ROOT) -> None:
    """Require that a commit (40 hex digits) is the present one or one before it.

    Raises HistoryError where it is none of these, or the code runs from no git checkout.
    """
    if not _is_checkout(root):
        raise HistoryError(
            "the code does not run from a git checkout of the project, so its history is not here; "
            "clone the project and run it from there"
        )
    known = _COMMIT.fullmatch(commit) is not None
    if not known or _git(root, "merge-base", "--is-ancestor", commit, "HEAD") is None:
        shallow = (_git(root, "rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
        step = "`git fetch --unshallow` gets the rest" if shallow else "check out one that has it"
        raise HistoryError(
            f"commit {shown(commit)} is not in the history at hand; {step}", complete=not shallow
        )


def files_at(commit: str, folder: str, ending: str, root: Path = ROOT) -> dict[str, bytes]:
    """By name below `folder`, the files of a commit whose names end so; from objects of git alone.

    Raises HistoryError where the commit is not in the history at hand.
    """
    require_in_history(commit, root)
    listed = _needed(root, "ls-tree", "-r", "-z", commit, "--", f"{folder}/")
    rows = [line.partition(b"\t") for line in listed.split(b"\0") if line]
    named = {os.fsdecode(name): about.split() for about, _, name in rows}
    blobs = {
        name.removeprefix(f"{folder}/"): about[2]
        for name, about in named.items()
        if about[1] == b"blob" and about[0] != b"120000" and name.endswith(ending)
    }
    answer = _needed(root, "cat-file", "--batch", given=b"".join(b + b"\n" for b in blobs.values()))
    return dict(zip(blobs, _contents(answer), strict=True))


@contextmanager
def worktree(commit: str, root: Path = ROOT) -> Iterator[Path]:
    """The files of a commit in a temporary folder, which is gone after the block.

    Raises HistoryError where the commit is not in the history at hand.
    """
    require_in_history(commit, root)
    with temporary_folder() as home:
        place = home / "code"
        _needed(root, "worktree", "add", "--detach", "--quiet", str(place), commit)
        try:
            yield place
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _contents(answer: bytes) -> Iterator[bytes]:
    """What `git cat-file --batch` says: a line that ends with the length, then so many bytes."""
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        length = int(answer[at:end].split()[-1])
        yield answer[end + 1 : end + 1 + length]
        at = end + length + 2


def _is_checkout(root: Path) -> bool:
    """Whether the root of a git checkout is `root`: an installed package may lie in another's."""
    top = _git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(os.fsdecode(top.rstrip(b"\n"))).resolve() == root.resolve()


def _needed(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    found = _git(root, *arguments, given=given)
    if found is None:
        raise HistoryError(f"{root}: `git {arguments[0]}` failed; look with `git fsck`")
    return found


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes | None:
    """What a command of git prints; None if it fails, or there is no git."""
    if (program := shutil.which("git")) is None:
        return None
    # A hook of git sets variables that would lead to another repository.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours, commits are hex digits
            [program, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=root, env=environment | {"GIT_OPTIONAL_LOCKS": "0"}, input=given,
            capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
