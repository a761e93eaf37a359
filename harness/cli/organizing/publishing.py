"""ivcr data publish, open-labels, verify-labels: what participants get, and that it was fixed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.challenge.ledger_lines import EventName, LedgerEvent, LedgerLine
    from harness.public_copy import PublicCopy
    from harness.public_copy.commitment import LabelsEvent, Salts
    from harness.public_copy.standing import FolderStanding

_BENCHMARK = click.argument("benchmark", type=click.Path(path_type=Path), metavar="BENCHMARK")
_SUBMISSIONS = "The folder of submissions, whose ledger tells it."


@click.command()
@_BENCHMARK
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option(
    "--hide",
    metavar="SPLIT[,SPLIT]",
    help="Splits whose labels are hidden, test or test,val; none: all are given. By default those "
    "that the benchmark hides.",
)
@click.option(
    "--videos", is_flag=True, help="With the videos' files, linked where the disk allows."
)
@click.option(
    "--salts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Commit to the hidden labels; FILE gets the salts, which stay secret.",
)
@click.option(
    "--exam",
    metavar="SPLIT[,SPLIT]",
    help="Splits whose turns are left out too, as `ivcr serve` shows them one by one.",
)
@click.option("--submissions", type=click.Path(path_type=Path), metavar="DIR", help=_SUBMISSIONS)
def publish(
    benchmark: Path,
    out: Path,
    hide: str | None,
    videos: bool,
    salts: Path | None,
    exam: str | None,
    submissions: Path | None,
) -> None:
    """Write the copy of BENCHMARK that participants get: no gold of hidden splits.

    The copy is searched for gold, and takes its place only if none is found. With --salts the
    hidden labels are committed to: the commitment is shown, and written to the ledger.
    """
    from harness.benchmark import Benchmark
    from harness.public_copy import hidden_splits
    from harness.public_copy import publish as write_copy

    full = Benchmark(benchmark)
    examined = [] if exam is None else [name.strip() for name in exam.split(",")]
    chosen = None if hide is None else [name.strip() for name in hide.split(",")]
    made = _commit(full, hidden_splits(full, chosen, examined), salts, out, submissions)
    _report(write_copy(full, out, hide=chosen, videos=videos, exam=examined), videos=videos)
    if made is not None:
        _tell_commitment(made, submissions)
        click.echo(f"keep {salts}: the commitment cannot be opened without it")


def _commit(
    full: Benchmark, hidden: Sequence[str], salts: Path | None, out: Path, submissions: Path | None
) -> Salts | None:
    """Commit to the hidden labels where salts are named. Raises WrongUsageError."""
    from harness.errors import WrongUsageError
    from harness.public_copy.commitment import commit

    if salts is None:
        if submissions is not None:
            raise WrongUsageError("--submissions: a commitment needs salts; name a file: --salts")
        return None
    if not hidden:
        raise WrongUsageError("--salts: there are no hidden labels to commit to")
    published = [folder for folder in (out, full.folder, submissions) if folder is not None]
    return commit(full.checked(), hidden, salts, published)


def _report(copy: PublicCopy, *, videos: bool) -> None:
    from harness.public_copy import report

    hidden = ", ".join(copy.hidden)
    click.echo(
        f"{copy.folder}: {copy.files:,} files, "
        + (f"labels of {hidden} hidden; no gold of them was found" if hidden else "labels public")
    )
    if copy.left_out:
        click.echo(f"left out: {len(copy.left_out):,} files that participants may not have")
    if not videos and copy.described:
        click.echo(f"without the files of {copy.described:,} videos; --videos takes them along")
    elif videos:
        click.echo(f"{copy.videos:,} files of videos, of {copy.described:,} with a path")
    for line in report(copy.notes):
        click.echo(f"note: {line}", err=True)


def _tell_commitment(salts: Salts, submissions: Path | None) -> None:
    """Show the commitments, and write those to the ledger that it does not have."""
    from harness.challenge.ledger import writing
    from harness.public_copy.commitment import COMMITTED, commitments

    for split, salted in salts.labels.items():
        click.echo(salted.committed_reason(split))
    if submissions is None:
        return
    with writing(submissions) as ledger:
        lines = _events(ledger.read().lines)
        known = {made for _, _, made in commitments(lines, salts.fingerprint)}
        new = {split: salted for split, salted in salts.labels.items()
               if salted.commitment not in known}  # fmt: skip
        ledger.append(
            _event(COMMITTED, salts.fingerprint, salted.committed_reason(split))
            for split, salted in new.items()
        )
    click.echo(f"ledger: {len(new)} events labels-committed written")


def _event(event: EventName, fingerprint: str, why: str, gold: str | None = None) -> LedgerEvent:
    from harness.challenge.ledger_lines import LedgerEvent

    return LedgerEvent(event=event, fingerprint=fingerprint, gold_sha256=gold, why=why)


def _events(lines: Sequence[LedgerLine]) -> list[LabelsEvent]:
    from harness.challenge.corrections import parse_correction
    from harness.public_copy.commitment import RESCORED, LabelsEvent

    return [
        LabelsEvent(
            line.seq,
            line.event,
            line.fingerprint,
            parse_correction(line.why).why if line.event == RESCORED and line.why else line.why,
        )
        for line in lines
    ]


@click.command("open-labels")
@_BENCHMARK
@click.option(
    "--salts",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The salts that `ivcr data publish` wrote.",
)
@click.option(
    "--submissions",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=_SUBMISSIONS,
)
@click.option("--split", help="This split alone; by default all that were committed to.")
def open_labels(benchmark: Path, salts: Path, submissions: Path, split: str | None) -> None:
    """Open the commitment to hidden labels: their salt goes to the ledger, for all to see.

    Whoever has the labels then can check them: publish a copy that gives them (`--hide none`, or
    the splits that stay hidden).
    """
    from harness.benchmark import Benchmark
    from harness.challenge.ledger import writing
    from harness.public_copy.commitment import OPENED, openable, read_salts

    full, known = Benchmark(benchmark).checked(), read_salts(salts)
    with writing(submissions) as ledger:
        chosen = openable(full, known, split, _events(ledger.read().lines))
        ledger.append(
            _event(
                OPENED, known.fingerprint, salted.opened_reason(name), full.header.gold_sha256[name]
            )
            for name, salted in chosen.items()
        )
    for name, salted in chosen.items():
        click.echo(salted.opened_reason(name))
    click.echo(f"ledger: {len(chosen)} events labels-opened written")


@click.command("verify-labels")
@_BENCHMARK
@click.option(
    "--submissions",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=_SUBMISSIONS,
)
def verify_labels(benchmark: Path, submissions: Path) -> None:
    """Check the labels of BENCHMARK against what was committed to before the phase.

    Exits with 1 unless each split that was opened has the labels of its only commitment.
    """
    from harness.benchmark import Benchmark
    from harness.challenge.ledger import read_ledger
    from harness.public_copy.commitment import check_commitments, require_faultless

    folder = Benchmark(benchmark).checked()
    events = _events(read_ledger(submissions).lines)
    checks = check_commitments(events, folder)
    for check in checks:
        click.echo(f"line {check.seq}: {check.split} {check.commitment}: {check.state}")
    require_faultless(checks, submissions, events)


def show_standing(standing: FolderStanding) -> None:
    """Print which labels a folder holds, and whether it may be handed out."""
    from harness.public_copy import report

    lacking = [name for name in standing.hidden if name not in standing.held]
    of = f"; none of {', '.join(lacking)}" if lacking else ""
    click.echo(f"holds labels of {', '.join(standing.held) or 'no split'}{of}")
    if not standing.findings:
        shown = "as far as names and forms of its files show; `ivcr data publish` searches for gold"
        click.echo(f"may be handed out, {shown if standing.hidden else 'and its labels with it'}")
        return
    click.echo("may not be handed out (`ivcr data publish` makes a copy that may):")
    for line in report(standing.findings):
        click.echo(f"  {line}")
