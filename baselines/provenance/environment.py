"""environment.json: the circumstances of a run, which no answer and no hash depends on."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

ENVIRONMENT = "environment.json"
REMOVED = "(removed)"
_SECRET = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"\b(?:sk|hf|ghp|gho|github_pat|xox[a-z]|glpat|AKIA)[-_A-Za-z0-9]{12,}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SHORTEST = 6  # characters of a variable's value that is looked for


def circumstances(argv: Sequence[str] | None, workers: int, seconds: float) -> dict[str, Any]:
    """The document of environment.json.

    argv: the words of the command, None where there was none. workers: processes that answered.
    seconds: of this process, from the start to the submission.
    """
    return {
        "schema": 1,
        "argv": None if argv is None else plain_words(argv, os.environ),
        "engine": "local",
        "workers": workers,
        "seconds": round(seconds, 3),
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }


def plain_words(argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words of a command without folders, addresses and secrets.

    Of a path its last part stays. Removed are addresses, values of what is called a key, a token or
    the like, what looks like one, and the values of variables of `environment` that are called so.
    """
    secrets = [
        value
        for name, value in environment.items()
        if _SECRET.search(name) and len(value) >= _SHORTEST
    ]
    found: list[str] = []
    for at, word in enumerate(argv):
        option = argv[at - 1] if at and argv[at - 1].startswith("--") else ""
        names_secret = "=" not in option and option != "--set" and _SECRET.search(option)
        found.append(REMOVED if names_secret else _plain_word(word, secrets))
    return found


def _plain_word(word: str, secrets: Sequence[str]) -> str:
    name, equals, value = word.partition("=")
    if not equals:
        return _plain_value(word, secrets)
    removed = _SECRET.search(name) is not None
    return f"{_plain_value(name, secrets)}={REMOVED if removed else _plain_value(value, secrets)}"


def _plain_value(value: str, secrets: Sequence[str]) -> str:
    found = _SECRET_VALUE.search(value) or _ADDRESS.search(value)
    if found or any(secret in value for secret in secrets):
        return REMOVED
    return PurePath(value).name if "/" in value or os.sep in value else value
