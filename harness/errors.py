"""What can go wrong from outside, by exit code; anything else is a bug and keeps its traceback."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class IvcrError(Exception):
    """A problem the user can mend, in one line: place, expectation, finding, next step."""

    exit_code = 3


class SubmissionError(IvcrError):
    """Something is wrong with what was submitted (exit code 1)."""

    exit_code = 1


class WrongUsageError(IvcrError):
    """The command cannot be carried out as it was asked (exit code 2)."""

    exit_code = 2


class EnvironmentFailure(IvcrError):  # noqa: N818 - the field's word for a failed disk or network
    """A path, disk or network failed (exit code 3)."""

    exit_code = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that names the nearest known word, with a blank behind it; empty if none is."""
    # Here, not above: most commands need no suggestion.
    from rapidfuzz.fuzz import ratio
    from rapidfuzz.process import extractOne

    close = extractOne(word, list(known), scorer=ratio, score_cutoff=60)
    return "" if close is None else f"did you mean {close[0]}? "


@contextmanager
def extras(name: str, extra: str = "baselines") -> Iterator[None]:
    """Let a library that is not installed end in one line, which says how to install it.

    extra: the one of the project that brings it. Raises EnvironmentFailure if one is absent.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "harness", "baselines", "leaderboard"):
            raise
        how = f"`pip install 'ivcr-harness[{extra}]'` installs it"
        if name.endswith(".py"):
            how = "install it"
        raise EnvironmentFailure(
            f"{name} needs {missing}, which is not installed; {how}"
        ) from error


_NEXT = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EFBIG: "allow larger files (`ulimit -f`)",
    errno.EROFS: "allow writing there",
    errno.EACCES: "allow writing there",
    errno.EPERM: "allow writing there",
    errno.ENOENT: "make the folder first",
    errno.ENAMETOOLONG: "give a shorter name",
}
DISK_ERRORS = frozenset({*_NEXT, errno.EIO} - {errno.ENOENT})


def unwritable(
    place: Path | str, error: OSError, otherwise: str = "name another place"
) -> EnvironmentFailure:
    """The failure to write `place`, with its reason and what to do; `otherwise`: another way."""
    step = _NEXT.get(error.errno or 0)
    advice = otherwise if step is None else f"{step}, or {otherwise}"
    return EnvironmentFailure(f"{place}: cannot be written: {error.strerror or error}; {advice}")
