"""Errors in the code of a baseline outside the project, told in one line that names the place."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from baselines.base import Query
from harness.errors import IvcrError, WrongUsageError
from harness.files import make_folder, shown, write

LONGEST = 300  # characters of an exception's text


class OwnCodeError(WrongUsageError):
    """The code of a baseline outside the project failed (exit code 2); `trace`: its traceback."""

    trace: str = ""


@contextmanager
def own_code(files: Sequence[Path], step: str, queries: Sequence[Query] = ()) -> Iterator[None]:
    """Turn what the code in `files` raises while it carries out `step` into an OwnCodeError.

    files: files and folders outside the project; without any, nothing is changed: an error of the
    project's own is a bug, and keeps its traceback. queries: the turns that are being answered.
    """
    try:
        yield
    # A library that is absent is told, with how to install it, by whoever runs the baseline.
    except (IvcrError, ModuleNotFoundError):
        raise
    except Exception as error:
        if not files:
            raise
        frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        own = [(frame, line) for frame, line in frames if _lies_in(frame, files)]
        place = f"{own[-1][0].f_code.co_filename}:{own[-1][1]}" if own else str(files[0])
        what = shown(f"{type(error).__name__}: {error}", LONGEST)[1:-1]
        failure = OwnCodeError(f"{place}: {step} raised {what}{_turn(own, queries)}")
        failure.trace = "".join(traceback.format_exception(error))
        raise failure from error


def with_traceback(error: OwnCodeError, path: Path, advice: str) -> WrongUsageError:
    """The error to show, once its traceback is written to `path`; `advice`: the next step.

    Raises EnvironmentFailure if it cannot be written.
    """
    make_folder(path.parent)
    write(path, error.trace.encode("utf-8", "backslashreplace"))
    return WrongUsageError(f"{error}; {path} has the traceback; {advice}")


def turn_name(query: Query) -> str:
    """The dialogue's id and the turn's number, as messages show them."""
    return f"{shown(query.dialogue_id)[1:-1]}/{query.turn}"


def _turn(frames: Sequence[tuple[FrameType, int]], queries: Sequence[Query]) -> str:
    """The turn that the innermost frame with a query of the batch was at, else the whole batch."""
    batch = {query.key for query in queries}
    for frame, _ in reversed(frames):
        held = [value for value in frame.f_locals.values() if isinstance(value, Query)]
        keys = {query.key: query for query in held if query.key in batch}
        if len(keys) == 1:
            return f", at turn {turn_name(next(iter(keys.values())))}"
    if not queries:
        return ""
    first, last = turn_name(queries[0]), turn_name(queries[-1])
    if len(queries) == 1:
        return f", at turn {first}"
    return f", in the batch of {len(queries)} turns from {first} to {last}"


def _lies_in(frame: FrameType, files: Sequence[Path]) -> bool:
    try:
        path = Path(frame.f_code.co_filename).resolve()
    except (OSError, ValueError):
        return False
    return any(path.is_relative_to(place.resolve()) for place in files)
