"""ivcr doctor: what this environment has and lacks."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import cache_option

LACKING = 3  # the exit code of an environment that failed


@click.command()
@cache_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="A table, or a document for programs.",
)  # fmt: skip
def doctor(cache: Path, form: str) -> None:
    """Show versions, codecs, cache, disk, GPU, and which extras are missing.

    Exits with 3 if something is missing that every command needs. Nothing is installed or changed.
    """
    from harness.doctor import diagnose
    from harness.files import readable

    found = diagnose(cache)
    if form == "json":
        click.echo(readable(found.document()).decode(), nl=False)
    else:
        click.echo("\n".join(found.lines()))
    if not found.is_complete:
        click.get_current_context().exit(LACKING)
