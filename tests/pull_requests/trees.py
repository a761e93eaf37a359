"""Trees for tests: a base with two teams, and what changes make of it, as folders and in Git."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple

from tests.validation.samples import CARD, LINES, encoded

PREDICTIONS = b"".join(encoded(line) + b"\n" for line in LINES)
S = "submissions"
NEW = f"{S}/gamma"


class Node(NamedTuple):
    """A file by its content, or whatever else a mode says."""

    content: bytes
    mode: str = "100644"


def run_at(folder, predictions=PREDICTIONS):
    """A run whose card names the team's folder."""
    team = folder.split("/")[-2]
    card = CARD.replace('team = "A team"', f'team = "{team}"').encode()
    return {f"{folder}/card.toml": card, f"{folder}/predictions.jsonl": predictions}


BASE = {
    "README.md": b"A project\n",
    "harness/check.py": b"print(1)\n",
    ".gitattributes": b"*.zst binary\n",
    f"{S}/challenge.toml": b'title = "A challenge"\n',
    f"{S}/ledger.jsonl": b"{}\n",
    f"{S}/alpha/team.toml": b'name = "A team"\naccounts = ["Alice"]\n',
    **run_at(f"{S}/alpha/run1"),
    f"{S}/beta/team.toml": b'name = "Another team"\n',
    **run_at(f"{S}/beta/run1"),
}
HONEST = {
    f"{NEW}/team.toml": b'name = "A new team"\naccounts = ["gina"]\n',
    **run_at(f"{NEW}/run1"),
}


def changed(tree, changes):
    """A tree after changes: None removes a path and all below it."""
    found = dict(tree)
    for path, content in changes.items():
        if content is None:
            found = {p: c for p, c in found.items() if p != path and not p.startswith(f"{path}/")}
        else:
            found[path] = content
    return found


def write_folder(folder, tree):
    """Write a tree to the disk; modes are those of Git."""
    folder.mkdir(parents=True)
    for path, content in tree.items():
        node = content if isinstance(content, Node) else Node(content)
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if node.mode == "120000":
            target.symlink_to(os.fsdecode(node.content))
        else:
            target.write_bytes(node.content)
            target.chmod(0o755 if node.mode == "100755" else 0o644)
    return folder


class Repository:
    """A bare repository that is written by plumbing alone."""

    def __init__(self, folder):
        self.folder = folder
        self._known = {}
        subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)

    def git(self, *command, data=b""):
        identity = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER")
                    for what in ("NAME", "EMAIL")}  # fmt: skip
        done = subprocess.run(
            ["git", "-C", str(self.folder), *command],
            input=data,
            capture_output=True,
            check=True,
            env={**os.environ, **identity},
        )
        return done.stdout.decode().strip()

    def add(self, kind, data):
        """An object of whatever content, as nothing checks it; its name in hex."""
        key = (kind, data)
        if key not in self._known:
            command = ("hash-object", "-w", "-t", kind, "--literally", "--stdin")
            self._known[key] = self.git(*command, data=data)
        return self._known[key]

    def tree(self, tree):
        """The tree object of paths; `\\x1f` stands for a slash in a name."""
        entries = {}
        for path, content in tree.items():
            raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
            name, _, rest = raw.partition(b"/")
            if rest:
                entries.setdefault(name, {})[rest] = content
            else:
                entries[name] = content
        rows = sorted(self._row(name, content) for name, content in entries.items())
        return self.add("tree", b"".join(row for _, row in rows))

    def _row(self, name, content):
        mode, oid = self._entry(content)
        name = name.replace(b"\x1f", b"/")
        return name, f"{mode} ".encode() + name + b"\0" + bytes.fromhex(oid)

    def _entry(self, content):
        if isinstance(content, dict):
            return "40000", self.tree(content)
        node = content if isinstance(content, Node) else Node(content)
        if node.mode in ("160000", "40000"):
            return node.mode, node.content.decode()
        return node.mode, self.add("blob", node.content)

    def commit(self, tree, *parents):
        """A commit of a tree object or of paths."""
        oid = tree if isinstance(tree, str) else self.tree(tree)
        above = [part for parent in parents for part in ("-p", parent)]
        return self.git("commit-tree", oid, *above, "-m", "a commit")
