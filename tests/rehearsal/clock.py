"""`ivcr` at a time of one's own: in this process, or as python -m tests.rehearsal.clock TIME ..."""

import io
import sys
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from typing import NamedTuple
from unittest.mock import patch

import pytest

from harness.challenge import ledger
from harness.challenge.intake import rescoring, taking_in
from harness.cli import main


class Ended(NamedTuple):
    """How a command ended: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str


@contextmanager
def clock(time):
    """The clock of intake and ledger shows `time`, an RFC 3339 text."""
    found = datetime.fromisoformat(time)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return found.astimezone(tz)

    with ExitStack() as patches:
        for module in (ledger, taking_in, rescoring):
            patches.enter_context(patch.object(module, "datetime", Stopped))
        yield


def ivcr(time, *arguments):
    """Run a command at a time."""
    out, err = io.StringIO(), io.StringIO()
    with (
        clock(time),
        patch.object(sys, "argv", ["ivcr", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return Ended(ended.value.code or 0, out.getvalue(), err.getvalue())


if __name__ == "__main__":
    with clock(sys.argv[1]):
        sys.argv = ["ivcr", *sys.argv[2:]]
        main()
