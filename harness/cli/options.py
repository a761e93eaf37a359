"""Options and messages that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from harness.benchmark import Benchmark

F = TypeVar("F", bound=Callable[..., Any])
# Interrupt and termination end a command with 128 + their number (harness.cli.main).
INTERRUPTED, TERMINATED = 130, 143


class _Shard(click.ParamType[tuple[int, int]]):
    """K/N, 1 <= K <= N."""

    name = "shard"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """The two numbers."""
        number, slash, of = value.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            self.fail(f"expected K/N with K from 1 to N, got {value!r}", param, ctx)
        return int(number), int(of)


SHARD = _Shard()


def _default_cache() -> Path:
    """IVCR_CACHE, else the folder for caches of the user's system."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("IVCR_CACHE") or user_cache_path("ivcr", appauthor=False))


class ListingCommand(click.Command):
    """A command whose help ends with a list of names, made when the help is shown.

    `heading`: what is listed; `rows`: each name with its description.
    """

    def __init__(
        self,
        *arguments: Any,
        heading: str,
        rows: Callable[[], Mapping[str, str]],
        **attributes: Any,
    ) -> None:
        """Take the arguments of any command, and the list."""
        super().__init__(*arguments, **attributes)
        self._heading, self._rows = heading, rows

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        with formatter.section(self._heading):
            formatter.write_dl(list(self._rows().items()))


def cache_option(command: F) -> F:
    """The option --cache."""
    return click.option(
        "--cache",
        type=click.Path(path_type=Path),
        default=_default_cache,
        show_default="IVCR_CACHE, else the user's cache folder",
        help="Where features of videos are kept from run to run.",
    )(command)


def results_option(command: F) -> F:
    """The option --results."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="What builds computed, taken again where nothing changed; by default OUT.results. With"
        " hidden labels it must be named, outside OUT and SUBMISSIONS: it tells labels.",
    )(command)


def processes_option(command: F) -> F:
    """The option --processes."""
    return click.option(
        "--processes",
        type=click.IntRange(min=1),
        show_default="one a core",
        help="How many processes share the work.",
    )(command)


def config_option(command: F) -> F:
    """The option --config."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE.toml",
        help="A file with settings; for a baseline that is made of others, with its members.",
    )(command)


def these_submissions(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The submissions that several paths mean; a note on standard error names the others.

    Raises WrongUsageError if none is left.
    """
    from harness.errors import WrongUsageError
    from harness.validation.bulk import submissions_among

    found = submissions_among(paths)
    for path in found.others:
        show_note(f"passed over, as it is no submission: {shown_path(path)}")
    for path in found.repeated:
        show_note(f"passed over, as it was named before: {shown_path(path)}")
    if not found.folders:
        raise WrongUsageError("expected submissions as SUB, found none among the paths given")
    return found.folders


def shown_path(path: Path) -> str:
    """A path as it is shown on a terminal: strangers may have chosen its names."""
    from harness.files import shown

    return shown(str(path), 400)[1:-1]


def show_note(text: str) -> None:
    """Show a note on standard error, and keep it in the log where there is one."""
    from harness.cli.environment.logs import log_shown

    click.echo(text, err=True)
    log_shown(text)


def warn_of_hidden_labels(benchmark: Benchmark) -> None:
    """Say on standard error for whom exact figures are, where labels are hidden."""
    from harness.publication.disclosure import FOR_ORGANIZERS

    if benchmark.header.labels == "hidden":
        click.echo(FOR_ORGANIZERS, err=True)


@contextmanager
def resumable(line: str, *, shown: bool = True) -> Iterator[None]:
    """Show `line`, if it is `shown`, when an interrupt or a termination ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        if shown:
            click.echo(f"ivcr: interrupted; {line}", err=True)
        sys.exit(INTERRUPTED)
    except SystemExit as ended:
        if shown and ended.code == TERMINATED:
            click.echo(f"ivcr: terminated; {line}", err=True)
        raise
