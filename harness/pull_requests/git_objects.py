"""Objects of a Git repository, read by `git cat-file` alone: nothing is checked out or fetched.

`git cat-file --batch-command` (Git 2.36) uses no hooks, filters and textconv unless it is asked to.
The environment takes from the repository's configuration what could still run something or reach a
network.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from threading import Timer
from typing import IO, NamedTuple, cast

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown
from harness.pull_requests.bounds import ChangeRefusedError, Deadline, ObjectsAbsentError

_OBJECT = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (commit|tree|blob|tag) ([0-9]{1,18})\n")
_REVISION = re.compile(r"[0-9A-Za-z_.][0-9A-Za-z_./^~@{}+-]{0,199}")
_HEADER = 4096  # bytes of an answer's first line
_FETCH = "fetch it with its history, such as with `fetch-depth: 0`"


class ObjectInfo(NamedTuple):
    """An object's name in hex, its kind (commit, tree, blob, tag) and its size in bytes."""

    oid: str
    kind: str
    size: int


def git_environment(repository: Path) -> dict[str, str]:
    """An environment in which Git reads `repository`, and runs and fetches nothing."""
    settings = {
        "safe.directory": str(repository.absolute()),
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "core.attributesFile": os.devnull,
        "core.pager": "cat",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "submodule.recurse": "false",
    }
    numbered = enumerate(settings.items())
    return {
        # Not the caller's GIT_ variables: GIT_DIR and the like would name another repository.
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",  # and no older Git fetches either
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{
            name: text
            for number, (key, value) in numbered
            for name, text in (
                (f"GIT_CONFIG_KEY_{number}", key),
                (f"GIT_CONFIG_VALUE_{number}", value),
            )
        },
    }


class GitObjects(AbstractContextManager["GitObjects"]):
    """The objects of one repository, until it is closed or the deadline passes."""

    def __init__(self, repository: Path, deadline: Deadline) -> None:
        """Start Git. Raises EnvironmentFailure if `repository` is no folder or Git is absent."""
        if not repository.is_dir():
            raise EnvironmentFailure(
                f"{repository}: expected a Git repository, found no folder; name one"
            )
        self.repository, self.deadline = repository, deadline
        self._environment = git_environment(repository)
        self._process = _started(
            ["git", "-C", str(repository), "cat-file", "--batch-command"],
            self._environment,
        )
        self._timer = Timer(deadline.remaining, self._process.kill)
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                cast("IO[bytes]", stream).close()
        self._process.wait()

    def find(self, name: str) -> ObjectInfo | None:
        """The object that a revision or a name in hex means; None if there is none.

        Raises WrongUsageError if `name` is no name of an object.
        """
        if not _REVISION.fullmatch(name):
            raise WrongUsageError(
                f"{shown(name)}: expected a revision of {self.repository}, such as a commit in hex "
                "or refs/heads/main"
            )
        answer = self._answer("info", name)
        found = _OBJECT.fullmatch(answer)
        if found is None:
            return None
        return ObjectInfo(found[1].decode(), found[2].decode(), int(found[3]))

    def size(self, oid: str) -> int:
        """The size of an object in bytes. Raises ObjectsAbsentError if it is not here."""
        info = self.find(oid)
        if info is None:
            raise self._absent(oid)
        return info.size

    def read(self, oid: str, kind: str, most: int) -> bytes:
        """The bytes of an object of that kind.

        Raises ObjectsAbsentError if it is not here, ChangeRefusedError if it is of another kind or
        has more than `most` bytes.
        """
        info = self.find(oid)
        if info is None:
            raise self._absent(oid)
        if info.kind != kind or info.size > most:
            raise ChangeRefusedError(
                "unreadable",
                None,
                f"object {oid}: expected a {kind} of at most {most:,} bytes, found a {info.kind} of"
                f" {info.size:,}; make the commits again with Git",
            )
        self._answer("contents", oid)
        data = self._stdout.read(info.size + 1)
        if len(data) != info.size + 1:
            raise self._broken()
        return data[:-1]

    def output(self, *command: str) -> str | None:
        """The text that a Git command prints; None if it fails. The arguments are our own.

        Raises ChangeRefusedError if it does not end in time.
        """
        self.deadline.require()
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command over names in hex
                ["git", "-C", str(self.repository), *command],  # noqa: S607 - the user's Git
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=min(60.0, self.deadline.remaining),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ChangeRefusedError(
                "history",
                None,
                "its history takes too long to read; begin a branch at the newest commit, and put "
                "the run there in one commit",
            ) from error
        return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else None

    def _answer(self, command: str, name: str) -> bytes:
        stdin = cast("IO[bytes]", self._process.stdin)
        try:
            stdin.write(f"{command} {name}\n".encode("ascii"))
            stdin.flush()
        except OSError as error:
            raise self._broken() from error
        line = self._stdout.readline(_HEADER)
        if not line.endswith(b"\n"):
            raise self._broken()
        return line

    @property
    def _stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdout)

    def _broken(self) -> Exception:
        self.deadline.require()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        ended = self._process.poll() is not None
        words = cast("IO[bytes]", self._process.stderr).read(_HEADER) if ended else b""
        if b"promisor" in words or b"transport" in words:  # it tried to fetch
            return ObjectsAbsentError(f"{self.repository}: objects are not here; {_FETCH}")
        text = shown(words.decode("utf-8", "replace").strip(), 200)
        return EnvironmentFailure(
            f"{self.repository}: Git does not read it: {text}; name a repository, with Git 2.36 or "
            "newer"
        )

    def _absent(self, oid: str) -> ObjectsAbsentError:
        return ObjectsAbsentError(f"{self.repository}: object {oid} is not here; {_FETCH}")


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - a fixed command
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise EnvironmentFailure(f"git: cannot be run: {error.strerror}; install it") from error
