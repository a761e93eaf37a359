"""One result of a check, and a check that fails alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from msgspec import Struct

# ok: there and works; absent: not there, and only some commands want it; broken: does not work.
State = Literal["ok", "absent", "broken"]
PATIENCE = 60  # seconds that a check in a process of its own may take


class EnvironmentCheck(Struct, frozen=True):
    """What one check found, in a line, and the next step where something is amiss.

    `needed`: whether every command wants it.
    """

    group: str
    name: str
    state: State
    found: str
    step: str | None = None
    needed: bool = False

    @property
    def is_fault(self) -> bool:
        """Whether the environment lacks something that is needed."""
        return self.needed and self.state != "ok"


Check = Callable[[], Sequence[EnvironmentCheck]]


class ProbeError(Exception):
    """A process of a check that did not answer; the text says why."""


def guarded(group: str, check: Check) -> list[EnvironmentCheck]:
    """The results of a check; one that fails in whatever way is a result itself."""
    try:
        return list(check())
    except Exception as error:
        function = check.func if isinstance(check, partial) else check
        name = getattr(function, "__name__", "check").replace("_", " ")
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return [EnvironmentCheck(group, name, "broken", f"the check itself failed: {reason}")]


def probe(*arguments: str) -> Any:
    """What a Python process prints as JSON, run with these arguments.

    A library that ends its process, or hangs, does so there. Raises ProbeError with the reason.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, *arguments], capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"no answer within {PATIENCE} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ProbeError(lines[-1][:200])
    return json.loads(done.stdout.splitlines()[-1])
