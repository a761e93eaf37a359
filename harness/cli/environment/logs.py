"""--verbose and --log-file: what the harness does, line by line, by the standard `logging`.

Lines come from loggers named after our own modules; libraries keep theirs. Foreign text in them is
escaped. Worker processes write none.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

PACKAGES = ("harness", "baselines", "leaderboard")
ON_SCREEN = "on_screen"  # marks a record whose text a command shows by itself


class SafeFormatter(logging.Formatter):
    """A record as one printable line: controls and marks that hide text are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without a newline."""
        from harness.publication.escaping import visible

        return visible(self.line(record), cut=4_000)

    def line(self, record: logging.LogRecord) -> str:
        """The line before its characters are made safe."""
        raise NotImplementedError


class ElapsedFormatter(SafeFormatter):
    """For a terminal: seconds since the command began."""

    def __init__(self, start: float) -> None:
        """start: when the command began, seconds since 1970."""
        super().__init__()
        self._start = start

    def line(self, record: logging.LogRecord) -> str:
        """`[ 1.234 s] harness.scoring: ...`."""
        elapsed = max(0.0, record.created - self._start)
        return f"[{elapsed:7.3f} s] {record.name}: {record.getMessage()}"


class StampedFormatter(SafeFormatter):
    """For a file: the time in UTC, the process, the level."""

    def line(self, record: logging.LogRecord) -> str:
        """`2026-12-01T09:00:00.000+00:00 123 DEBUG harness.scoring: ...`."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = f"{record.name}: {record.getMessage()}"
        return f"{when} {record.process} {record.levelname} {text}"


class Screen(logging.Handler):
    """Standard error as it is at the time, so that lines stand above a bar and not in it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show the line."""
        print(self.format(record), file=sys.stderr)


class LogFile(logging.FileHandler):
    """A file to which lines are appended; a disk that fails is said once, and ends no command."""

    failed = False

    def close(self) -> None:
        """Close the file; that its disk is full was said."""
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once that the file cannot be written."""
        if not self.failed:
            self.failed = True
            reason = sys.exception()
            print(f"ivcr: {self.baseFilename}: no more lines are kept: {reason}", file=sys.stderr)


def start_logs(*, verbose: bool, file: Path | None) -> None:
    """Send our packages' lines to standard error if `verbose`, and to `file` if there is one.

    Raises EnvironmentFailure if the file cannot be opened.
    """
    stop_logs()
    handlers: list[logging.Handler] = []
    if verbose:
        screen = Screen()
        screen.setFormatter(ElapsedFormatter(time.time()))
        screen.addFilter(lambda record: not getattr(record, ON_SCREEN, False))
        handlers.append(screen)
    if file is not None:
        handlers.append(_log_file(file))
    for package in PACKAGES:
        logger = logging.getLogger(package)
        logger.handlers[:] = handlers
        logger.setLevel(logging.DEBUG)
        logger.propagate = False


def stop_logs() -> None:
    """Close what start_logs began; the loggers are then as Python has them."""
    for package in PACKAGES:
        logger = logging.getLogger(package)
        for handler in logger.handlers:
            handler.close()
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


def _log_file(path: Path) -> LogFile:
    from harness.errors import unwritable

    try:
        handler = LogFile(path, "a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise unwritable(path, error) from error
    handler.setFormatter(StampedFormatter())
    return handler


def log_shown(text: str, level: int = logging.INFO) -> None:
    """Keep a line in the log that a command shows on standard error by itself."""
    logging.getLogger("harness.cli").log(level, "%s", text, extra={ON_SCREEN: True})
