"""The commits of a change: where they begin, how many they are and how much they bring along."""

from __future__ import annotations

from typing import NamedTuple

from harness.errors import WrongUsageError
from harness.files import shown
from harness.pull_requests.bounds import (
    COMMITS,
    HISTORY_BYTES,
    ChangeRefusedError,
    ObjectsAbsentError,
)
from harness.pull_requests.git_objects import GitObjects, ObjectInfo

_AFRESH = "begin a branch at the newest commit, and put the run there in one commit"


class Revision(NamedTuple):
    """What a revision means: a commit (None if it is a tree alone) and its tree, in hex."""

    commit: str | None
    tree: str


def revision(objects: GitObjects, name: str) -> Revision:
    """The commit and the tree that a revision means.

    Raises ObjectsAbsentError if it is not here, WrongUsageError if it is neither.
    """
    found = objects.find(name)
    if found is not None and found.kind in ("commit", "tag"):
        commit, tree = objects.find(f"{name}^{{commit}}"), objects.find(f"{name}^{{tree}}")
        if commit is not None and tree is not None:
            return Revision(commit.oid, tree.oid)
    return Revision(None, _tree(objects, name, found))


def _tree(objects: GitObjects, name: str, found: ObjectInfo | None) -> str:
    if found is None:
        raise ObjectsAbsentError(
            f"{objects.repository}: {shown(name)} is not here; fetch it, or name another revision"
        )
    if found.kind != "tree":
        raise WrongUsageError(
            f"{shown(name)}: expected a commit or a tree, found a {found.kind}; name a revision"
        )
    return found.oid


class ChangeHistory(NamedTuple):
    """The tree that a change begins at, its commit if there is one, and the number of commits."""

    start: str
    merge_base: str | None
    commits: int | None


def change_history(objects: GitObjects, base: Revision, head: Revision) -> ChangeHistory:
    """Where a change begins: for two commits their merge base, for trees the base itself.

    Raises ChangeRefusedError if the history is too long or none of this repository's,
    ObjectsAbsentError if it is not all here.
    """
    if base.commit is None or head.commit is None:
        return ChangeHistory(base.tree, None, None)
    found = objects.output("merge-base", base.commit, head.commit)
    if not found:
        if objects.output("rev-parse", "--is-shallow-repository") == "true":
            raise ObjectsAbsentError(
                f"{objects.repository}: is shallow and does not reach the commit at which the "
                "change begins; fetch its history, such as with `fetch-depth: 0`"
            )
        raise ChangeRefusedError(
            "history", None, f"its history has no commit in common with the base; {_AFRESH}"
        )
    commits = _count(objects, base.commit, head.commit)
    return ChangeHistory(revision(objects, found).tree, found, commits)


def _count(objects: GitObjects, base: str, head: str) -> int:
    most = f"--max-count={COMMITS + 1}"
    count = int(objects.output("rev-list", "--count", most, head, f"^{base}") or 0)
    if count > COMMITS:
        raise ChangeRefusedError(
            "too-many-commits", None, f"expected at most {COMMITS} commits, found more; {_AFRESH}"
        )
    return count


def require_small_history(objects: GitObjects, base: str, head: str) -> None:
    """Check how much the commits of a change bring along, what they removed again included.

    To be called when the tree of `head` was read, which tells better what is broken or absent.
    Raises ChangeRefusedError if it is more than HISTORY_BYTES, or broken, ObjectsAbsentError if it
    is not all here.
    """
    size = _bytes(objects, (head, f"^{base}"))
    if size > HISTORY_BYTES:
        raise ChangeRefusedError(
            "history",
            None,
            f"its commits bring {size:,} bytes along, at most {HISTORY_BYTES:,} are taken; "
            f"{_AFRESH}",
        )


def _bytes(objects: GitObjects, new: tuple[str, ...]) -> int:
    """The bytes of all objects that the commits bring along, as Git keeps them."""
    command = ("rev-list", "--objects", "--disk-usage")
    if (size := objects.output(*command, *new)) is not None:
        return int(size)
    if objects.output(*command, "--missing=allow-any", *new) is not None:
        raise ObjectsAbsentError(
            f"{objects.repository}: objects of the change are not here; fetch all of it"
        )
    raise ChangeRefusedError(
        "unreadable", None, f"its commits hold objects that Git cannot read; {_AFRESH}"
    )
