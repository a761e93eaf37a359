"""Small repositories of git, made for a test."""

import os
import subprocess

import pytest


class Repository:
    """A repository in `root` with one branch."""

    def __init__(self, root):
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments):
        """What a command of git prints."""
        name = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        return subprocess.run(
            ["git", *name, *arguments], cwd=self.root, check=True, capture_output=True, text=True,
            env=environment,
        ).stdout.strip()  # fmt: skip

    def write(self, files):
        """Write files by name."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def commit(self, files):
        """Commit files; returns the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")
