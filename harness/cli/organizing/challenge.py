"""ivcr withdraw, reveal, rename, admit and ledger: what organizers of a challenge do by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from harness.challenge.ledger_lines import LedgerLine

F = TypeVar("F", bound=Callable[..., Any])


def submissions_option(command: F) -> F:
    """The option --submissions."""
    return click.option(
        "--submissions",
        type=click.Path(path_type=Path),
        default=Path("submissions"),
        show_default=True,
        help="The folder of challenge.toml, ledger.jsonl and the teams.",
    )(command)


def why_option(command: F) -> F:
    """The option --why."""
    return click.option(
        "--why",
        required=True,
        metavar="TEXT",
        help="The reason, in a line that the public ledger keeps: no names, no addresses.",
    )(command)


@click.command()
@click.argument("name", metavar="TEAM[/RUN]")
@submissions_option
@why_option
def withdraw(name: str, submissions: Path, why: str) -> None:
    """Withdraw a run, or all runs of a team.

    Their rows stay, struck, with the date and the reason. The files may be deleted afterwards.
    """
    from harness.challenge import administration

    _show(administration.withdraw(submissions, name, why))


@click.command()
@click.argument("team", metavar="TEAM")
@click.option("--name", required=True, help="The team's real name, for its team.toml.")
@submissions_option
def reveal(team: str, name: str, submissions: Path) -> None:
    """End a team's anonymity: its team.toml gets the real name, the ledger says that it did."""
    from harness.challenge import administration

    _show(administration.reveal(submissions, team, name))


@click.command()
@click.argument("name", metavar="TEAM[/RUN]")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--name", "title", help="A new name for team.toml; the folder stays.")
@submissions_option
@why_option
def rename(name: str, new: str | None, title: str | None, submissions: Path, why: str) -> None:
    """Give a run or a team's folder the name NEW, or a team another --name.

    The ledger tells it, and what it says of the old name holds for the new one.
    \f
    Raises WrongUsageError if both or none are named.
    """
    from harness.challenge import administration
    from harness.errors import WrongUsageError

    if (new is None) == (title is None):
        raise WrongUsageError("name either NEW, for the folder, or --name, for team.toml")
    if new is not None:
        _show(administration.rename(submissions, name, new, why))
    elif title is not None:
        _show(administration.change_name(submissions, name, title, why))


@click.command()
@click.argument("name", metavar="TEAM/RUN")
@click.option("--phase", required=True, help="The phase of challenge.toml that it is admitted to.")
@submissions_option
@why_option
def admit(name: str, phase: str, submissions: Path, why: str) -> None:
    """Accept a run whatever the phase's times and quota say: for appeals and late submissions.

    The next `ivcr intake` validates and scores it.
    """
    from harness.challenge import administration

    _show(administration.admit(submissions, name, phase, why))


@click.group()
def ledger() -> None:
    """Verify or show the ledger of a challenge."""


@ledger.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
@click.option("--head", metavar="HASH", help="The head that a page published.")
def verify(submissions: Path, head: str | None) -> None:
    """Check every line of SUBMISSIONS/ledger.jsonl.

    Given the published head, every edit, deletion, reordering and truncation up to it is found.
    Exits with 1 if something is wrong.
    \f
    Raises SubmissionError then.
    """
    from harness.challenge.ledger_check import require_head, verify
    from harness.errors import SubmissionError

    report = verify(submissions, None if head is None else require_head(head))
    for problem in report.problems:
        click.echo(str(problem), err=True)
    if report.unfinished:
        click.echo(f"{report.unfinished:,} bytes of an unfinished line; the next one removes them")
    if report.problems:
        raise SubmissionError(
            f"{submissions}: {len(report.problems):,} problems in the ledger's {report.lines:,} "
            "lines; put back a copy that has the published head"
        )
    click.echo(f"{report.lines:,} lines, head {report.head}")
    if head is None:
        click.echo(
            "without --head, a change of the last line or missing ones do not show", err=True
        )
    elif report.since:
        click.echo(f"{report.since:,} lines were added after the published head", err=True)


@ledger.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
def show(submissions: Path) -> None:
    """Show what SUBMISSIONS/ledger.jsonl says of each run, and its head."""
    from harness.challenge.administration import read_state
    from harness.files import shown

    state = read_state(submissions)
    for name, times in state.phases.items():
        click.echo(
            f"phase {shown(name)[1:-1]}: opened {times.opened_at or '-'}, "
            f"closed {times.closed_at or '-'}"
        )
    for key, run in sorted(state.runs.items()):
        why = f"  {shown(run.why, 200)}" if run.why else ""
        click.echo(f"{key}: {run.status} {run.changed_at}{why}")
    click.echo(f"head {state.head}")


def _show(line: LedgerLine | None) -> None:
    if line is None:
        click.echo("nothing to add: the ledger says so already")
    else:
        click.echo(f"ledger line {line.seq}: {line.event} at {line.at}")
