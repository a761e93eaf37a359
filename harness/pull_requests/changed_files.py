"""What differs between two trees: equal folders of Git are passed over unread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.pull_requests.bounds import (
    CHANGED_FILES,
    COMPARED_FILE,
    FOLDER_DEPTH,
    ChangeRefusedError,
    Deadline,
)
from harness.pull_requests.trees import PLAIN, GitTree, Tree, TreeItem


class ChangedFile(NamedTuple):
    """A path at which two trees differ; None where one of them has nothing there.

    A folder appears only where it is new and empty.
    """

    path: tuple[bytes, ...]
    before: TreeItem | None
    after: TreeItem | None


def changed_files(before: Tree, after: Tree, deadline: Deadline) -> Iterator[ChangedFile]:
    """The paths at which `after` differs from `before`, in the order of their bytes.

    Raises ChangeRefusedError past CHANGED_FILES of them, FOLDER_DEPTH folders or the deadline.
    """
    walk = _walk(before, after, (), before.root, after.root, deadline)
    for number, change in enumerate(walk):
        if number == CHANGED_FILES:
            raise ChangeRefusedError(
                "too-many-files",
                None,
                f"expected at most {CHANGED_FILES:,} changed files, found more; send one run",
            )
        yield change


def _walk(
    before: Tree,
    after: Tree,
    path: tuple[bytes, ...],
    old: TreeItem | None,
    new: TreeItem | None,
    deadline: Deadline,
) -> Iterator[ChangedFile]:
    deadline.require()
    if len(path) > FOLDER_DEPTH:
        raise ChangeRefusedError(
            "path-length", b"/".join(path), f"expected at most {FOLDER_DEPTH} folders, found more"
        )
    olds, news = _entries(before, old), _entries(after, new)
    if path and _is_folder(new) and not news:
        yield ChangedFile(path, None, new)
    for name in sorted(olds.keys() | news.keys()):
        each = ChangedFile((*path, name), olds.get(name), news.get(name))
        if _same(before, after, each):
            continue
        yield from _files(each)
        if _is_folder(each.before) or _is_folder(each.after):
            yield from _walk(before, after, *each, deadline)


def _files(change: ChangedFile) -> Iterator[ChangedFile]:
    """The change as far as it is one of files."""
    before = None if _is_folder(change.before) else change.before
    after = None if _is_folder(change.after) else change.after
    if before is not None or after is not None:
        yield ChangedFile(change.path, before, after)


def _entries(tree: Tree, item: TreeItem | None) -> dict[bytes, TreeItem]:
    return tree.entries(item) if item is not None and item.kind == "folder" else {}


def _is_folder(item: TreeItem | None) -> bool:
    return item is not None and item.kind == "folder"


def _same(before: Tree, after: Tree, change: ChangedFile) -> bool:
    _, old, new = change
    if old is None or new is None or old.kind != new.kind:
        return False
    if type(before) is not type(after):
        return False if old.kind == "folder" else _same_bytes(before, after, old, new)
    if not isinstance(before, GitTree):
        if old.kind == "folder":
            return False
        if old.kind in PLAIN and before.size(old) != after.size(new):
            return False
    return before.identity(old) == after.identity(new)


def _same_bytes(before: Tree, after: Tree, old: TreeItem, new: TreeItem) -> bool:
    """Whether two files of trees of different kinds are the same."""
    if old.kind not in PLAIN:
        return False
    size = before.size(old)
    if size > COMPARED_FILE:
        return False
    return size == after.size(new) and before.read(old, size) == after.read(new, size)
