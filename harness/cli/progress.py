"""Progress on standard error: a bar with the time left on a terminal, nothing in a log.

Nothing either where a terminal cannot move its cursor (TERM=dumb); no colour under NO_COLOR.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def bar(label: str, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar; its function takes how many `unit`s are done, of how many."""
    with stages(unit) as advance:
        yield lambda done, total: advance(label, done, total)


def counted(items: Iterable[T], label: str, unit: str, total: int) -> Iterator[T]:
    """The items, with a bar while they are waited for.

    There is none where results are shown on the terminal as they come, which would run through it.
    """
    if total < 2 or sys.stdout.isatty():
        yield from items
        return
    with bar(label, unit) as advance:
        advance(0, total)
        for done, item in enumerate(items, start=1):
            advance(done, total)
            yield item


@contextmanager
def stages(unit: str = "") -> Iterator[Callable[[str, int, int], None]]:
    """Bars, one a stage; the function takes the stage, how much is done, of how much."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        # What is printed meanwhile goes where it was sent: rich would put it on standard error.
        redirect_stdout=False,
        disable=not console.is_terminal or console.is_dumb_terminal,
    ) as shown:
        tasks: dict[str, TaskID] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total)
            shown.update(tasks[stage], completed=done, total=total)

        yield advance
