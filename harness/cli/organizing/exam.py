"""ivcr serve and ivcr exam: the server of exams, and what organizers do beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.organizing.challenge import why_option
from harness.errors import extras

if TYPE_CHECKING:
    from harness.exam.serve_config import ServeConfig
    from harness.exam.storage.database import Database

_CONFIG = click.argument("config", type=click.Path(path_type=Path), metavar="CONFIG")


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path), metavar="[CONFIG]")
@click.option("--check", is_flag=True, help="Say what is wrong with CONFIG, and serve nothing.")
@click.option(
    "--demo",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Make an IVCR-Mini, a challenge, a team and CONFIG in DIR, and serve it.",
)
def serve(config: Path | None, check: bool, demo: Path | None) -> None:
    """Serve the exams of a challenge over HTTP, as CONFIG says (docs/hosting.md).

    A turn is shown after the answer to the one before is on the disk.
    \f
    Raises WrongUsageError if CONFIG is not sound, or if both or none of CONFIG and --demo are
    named.
    """
    from harness.errors import WrongUsageError

    if (config is None) == (demo is None):
        raise WrongUsageError("name either CONFIG, or --demo with a folder to make")
    with extras("ivcr serve", "serve"):
        from harness.exam.serve_config import config_problems, read_serve_config

        if demo is not None:
            from baselines.retrievers.bm25 import first_stage
            from harness.exam.demo import make_demo
            from harness.sources.mini_benchmark import import_mini

            def benchmark_into(folder: Path) -> None:
                import_mini(folder, first_stage=first_stage)

            config = make_demo(demo, benchmark_into, click.echo)
        assert config is not None  # noqa: S101 - one of both is named
        chosen = read_serve_config(config)
        if check:
            problems = list(config_problems(chosen))
            for problem in problems:
                click.echo(problem)
            if problems:
                raise WrongUsageError(f"{config}: {len(problems)} problems, named above")
            click.echo(f"{config}: nothing is wrong with it")
            return
        from harness.exam.http.serving import serve as serve_exams

        serve_exams(chosen)


@click.group()
def exam() -> None:
    """Tokens of teams, and exams, on the machine of the server; not over HTTP."""


@exam.group()
def token() -> None:
    """Tokens with which teams sign in."""


@token.command("make")
@_CONFIG
@click.argument("team")
@click.option("--days", type=click.IntRange(min=1), metavar="N", help="It ends after N days.")
@click.option("--label", default="", help="What it is for.")
def make_(config: Path, team: str, days: int | None, label: str) -> None:
    """Make a token for TEAM, a folder of the submissions. It is shown this once.
    \f
    Raises WrongUsageError if there is no such team.
    """
    from harness.errors import WrongUsageError

    chosen, database = _database_of(config)
    from harness.challenge.ledger_lines import time_text
    from harness.exam.storage.tokens import make_token

    if not (chosen.submissions / team / "team.toml").is_file():
        raise WrongUsageError(
            f"{chosen.submissions / team}: expected a team's folder with team.toml, found none"
        )
    now = datetime.now(UTC)
    ends = None if days is None else time_text(now + timedelta(days=days))
    with database.writing() as connection:
        made, text = make_token(connection, team, time_text(now), ends, label)
    click.echo(text)
    click.echo(
        f"token {made.id} of {team}, until {ends or 'it is revoked'}; kept as a hash", err=True
    )


@token.command("list")
@_CONFIG
@click.argument("team", required=False)
def list_(config: Path, team: str | None) -> None:
    """List tokens, of all teams or of TEAM: number, team, times, label; never the token."""
    _, database = _database_of(config)
    from harness.exam.storage.tokens import list_tokens

    with database.reading() as connection:
        for each in list_tokens(connection, team):
            end = (
                f"revoked {each.revoked_at}"
                if each.revoked_at
                else f"until {each.expires_at or '-'}"
            )
            click.echo(f"{each.id}  {each.team}  made {each.made_at}  {end}  {each.label}".rstrip())


@token.command()
@_CONFIG
@click.argument("number")
def revoke(config: Path, number: str) -> None:
    """Revoke the token with that number (`ivcr exam token list`), at once.
    \f
    Raises WrongUsageError if there is none that is in force.
    """
    from harness.errors import WrongUsageError

    _, database = _database_of(config)
    from harness.challenge.ledger_lines import time_text
    from harness.exam.storage.tokens import revoke_token

    with database.writing() as connection:
        if not revoke_token(connection, number, time_text(datetime.now(UTC))):
            raise WrongUsageError(
                f"{number}: no token of that number, or revoked already; `ivcr exam token list`"
            )


@exam.command("list")
@_CONFIG
def exams_(config: Path) -> None:
    """List exams: team, run, phase, state, answered turns, deadline."""
    _, database = _database_of(config)
    from harness.exam.storage.store import all_exams

    with database.reading() as connection:
        for each in all_exams(connection):
            click.echo(
                f"{each.id}  {each.team}/{each.run}  {each.phase}  {each.state}  "
                f"{each.seq:,}/{each.turns:,}  until {each.closes_at}"
            )


@exam.command()
@_CONFIG
@click.argument("number")
@why_option
def void(config: Path, number: str, why: str) -> None:
    """Void an exam, which then costs no quota: after a fault of the server, say.

    The ledger tells it with the reason.
    \f
    Raises WrongUsageError if there is none that is open or has expired.
    """
    from harness.errors import WrongUsageError

    _, database = _database_of(config)
    from harness.exam.storage.store import void_exam

    with database.writing() as connection:
        if not void_exam(connection, number, why):
            raise WrongUsageError(f"{number}: no exam of that number that is open or has expired")


def _database_of(config: Path) -> tuple[ServeConfig, Database]:
    with extras("ivcr exam", "serve"):
        from harness.exam.serve_config import read_serve_config
        from harness.exam.storage.database import Database

        chosen = read_serve_config(config)
        return chosen, Database(chosen.database)
