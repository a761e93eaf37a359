"""Trees: folders on the disk and trees of Git, listed and read in one way."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, cast

from harness.errors import EnvironmentFailure
from harness.pull_requests.bounds import (
    COMPARED_BYTES,
    LISTED,
    TREE_BYTES,
    ChangeRefusedError,
    Deadline,
)
from harness.pull_requests.git_objects import GitObjects
from harness.untrusted import UnfitFileError, open_untrusted, read_small

Kind = Literal["file", "executable", "folder", "link", "submodule", "other"]
_MODES: dict[bytes, Kind] = {
    b"100644": "file",
    b"100664": "file",  # of Git before 2005
    b"100755": "executable",
    b"40000": "folder",
    b"120000": "link",
    b"160000": "submodule",
}
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]*)\0", re.DOTALL)
PLAIN: tuple[Kind, ...] = ("file", "executable")


class TreeItem(NamedTuple):
    """One entry of a folder. `key`: the object's name in hex, or the path on the disk."""

    name: bytes
    kind: Kind
    key: str


class Tree(Protocol):
    """Folders in folders. Every method raises ChangeRefusedError where a bound is passed."""

    @property
    def root(self) -> TreeItem:
        """The uppermost folder."""

    def entries(self, folder: TreeItem) -> dict[bytes, TreeItem]:
        """The entries of a folder, by name."""

    def size(self, item: TreeItem) -> int:
        """The bytes of a file."""

    def read(self, item: TreeItem, most: int) -> bytes:
        """The contents of a file that has at most `most` bytes."""

    def identity(self, item: TreeItem) -> str:
        """A text that two items of one kind of tree share if, and only if, they are the same."""


class _Listing:
    """The folders that were listed, by their key; counts the entries of one tree."""

    def __init__(self) -> None:
        self._found: dict[str, dict[bytes, TreeItem]] = {}
        self._count = 0

    def of(self, key: str, make: Callable[[], Iterable[TreeItem]]) -> dict[bytes, TreeItem]:
        """The entries of the folder `key`, which `make` gives the first time."""
        if key not in self._found:
            found: dict[bytes, TreeItem] = {}
            for item in make():
                if item.name in found:
                    raise _broken_tree()
                found[item.name] = item
                self._count += 1
                if self._count > LISTED:
                    raise ChangeRefusedError(
                        "too-many-files",
                        None,
                        f"expected at most {LISTED:,} entries to look at, found more; send one run",
                    )
            self._found[key] = found
        return self._found[key]


class GitTree:
    """A tree of a Git repository."""

    def __init__(self, objects: GitObjects, oid: str) -> None:
        self._objects, self._listing = objects, _Listing()
        self.root = TreeItem(b"", "folder", oid)

    def entries(self, folder: TreeItem) -> dict[bytes, TreeItem]:
        """The entries of a folder, by name."""
        return self._listing.of(folder.key, lambda: self._items(folder.key))

    def _items(self, key: str) -> Iterator[TreeItem]:
        """The entries of a tree object: `<mode> <name>`, a zero byte, the object's name."""
        data, width = self._objects.read(key, "tree", TREE_BYTES), len(key) // 2
        at = 0
        while at < len(data):
            head = _ENTRY.match(data, at)
            if head is None or len(data) < (end := head.end() + width):
                raise _broken_tree()
            kind = _MODES.get(head[1].removeprefix(b"0"), "other")
            yield TreeItem(head[2], kind, data[head.end() : end].hex())
            at = end

    def size(self, item: TreeItem) -> int:
        """The bytes of a file."""
        return self._objects.size(item.key)

    def read(self, item: TreeItem, most: int) -> bytes:
        """The contents of a file that has at most `most` bytes."""
        return self._objects.read(item.key, "blob", most)

    def identity(self, item: TreeItem) -> str:
        """The object's name."""
        return item.key


def _broken_tree() -> ChangeRefusedError:
    return ChangeRefusedError(
        "unreadable",
        None,
        "expected folders as Git writes them, found one with a broken or a repeated entry; make the"
        " commits again with Git",
    )


class FolderTree:
    """A folder on the disk; links are not followed, and its own .git is no part of it."""

    def __init__(self, folder: Path, deadline: Deadline) -> None:
        """Raises EnvironmentFailure if `folder` is none."""
        if not folder.is_dir():
            raise EnvironmentFailure(
                f"{folder}: expected a folder, found none; name one, or a repository with "
                "--repository"
            )
        self.root = TreeItem(b"", "folder", str(folder))
        self._deadline, self._listing, self._bytes = deadline, _Listing(), 0

    def entries(self, folder: TreeItem) -> dict[bytes, TreeItem]:
        """The entries of a folder, by name. Raises EnvironmentFailure."""
        return self._listing.of(folder.key, lambda: self._items(folder.key))

    def _items(self, key: str) -> Iterator[TreeItem]:
        self._deadline.require()
        try:
            with os.scandir(key) as entries:
                for entry in entries:
                    name, mode = os.fsencode(entry.name), entry.stat(follow_symlinks=False).st_mode
                    if key != self.root.key or name != b".git":
                        yield TreeItem(name, _kind(mode), entry.path)
        except OSError as error:
            raise EnvironmentFailure(
                f"{key}: cannot be read: {error.strerror}; allow reading it"
            ) from error

    def size(self, item: TreeItem) -> int:
        """The bytes of a file."""
        return os.lstat(item.key).st_size

    def read(self, item: TreeItem, most: int) -> bytes:
        """The contents of a file of at most `most` bytes. Raises ChangeRefusedError."""
        self._deadline.require()
        try:
            return read_small(Path(item.key), most)
        except UnfitFileError as error:
            raise ChangeRefusedError("unreadable", None, error.text) from error

    def identity(self, item: TreeItem) -> str:
        """SHA-256 of the contents, of all files together at most COMPARED_BYTES.

        Raises ChangeRefusedError if the file cannot be read.
        """
        if item.kind == "link":
            return str(Path(item.key).readlink())
        if item.kind not in PLAIN:
            return item.key
        self._bytes += self.size(item)
        if self._bytes > COMPARED_BYTES:
            return item.key  # too much to compare: taken for changed
        self._deadline.require()
        try:
            with open_untrusted(Path(item.key)) as stream:
                return hashlib.file_digest(cast("BufferedReader", stream), "sha256").hexdigest()
        except UnfitFileError as error:
            raise ChangeRefusedError("unreadable", None, error.text) from error


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "executable" if mode & 0o111 else "file"
    kinds: dict[int, Kind] = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "other")


def find_item(tree: Tree, path: tuple[bytes, ...]) -> TreeItem | None:
    """What stands at a path; None if nothing does, or something else than folders leads there."""
    item: TreeItem | None = tree.root
    for name in path:
        if item is None or item.kind != "folder":
            return None
        item = tree.entries(item).get(name)
    return item


def names_in(tree: Tree, path: tuple[bytes, ...]) -> dict[bytes, TreeItem]:
    """The entries of the folder at a path; none where there is no folder."""
    item = find_item(tree, path)
    return tree.entries(item) if item is not None and item.kind == "folder" else {}
