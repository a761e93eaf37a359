"""ivcr leaderboard: build the site, verify its figures, freeze it, compare two sites."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import processes_option, results_option


@click.group()
def leaderboard() -> None:
    """Build the leaderboard from submissions, verify its figures, freeze it, compare two sites."""


@leaderboard.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The site's folder.")
@click.option("--split", default="test", show_default=True, help="The split of the tables.")
@click.option(
    "--organizers",
    multiple=True,
    metavar="TEAM",
    help="A team folder whose runs the organizers made themselves; may be repeated.",
)
@results_option
@processes_option
def build(
    submissions: Path,
    benchmark: Path,
    out: Path,
    split: str,
    organizers: tuple[str, ...],
    results: Path | None,
    processes: int | None,
) -> None:
    """Build the site from SUBMISSIONS/<team>/<run>/ and the benchmark's floors.

    The build scores each submission and floor itself, or takes what an earlier build computed from
    its results folder, and shows nothing else: a scores.json in a submission is compared, and a
    difference is told. A folder that is no valid submission is refused with its reason, on the page
    and here; the others are shown. A ledger beside the site lets the next build read only what has
    changed.
    """
    from harness.cli.progress import bar
    from leaderboard.site.publish import build_site

    with bar("scoring", unit="submissions") as progress:
        site = build_site(
            submissions,
            benchmark,
            out,
            split=split,
            organizers=organizers,
            results=results,
            processes=processes,
            progress=progress,
        )
    for line in site.notes():
        click.echo(line, err=True)
    click.echo(str(site))
    site.require_no_faults()


@leaderboard.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split of the tables.")
def verify(submissions: Path, benchmark: Path, split: str) -> None:
    """Score every submission and floor again, and compare the scores.json that lie beside them.

    Signature, reasons and counts are compared as figures are; so is every array of the outcomes
    turn by turn, where they are there, and what run.json of a baseline's run says of its card and
    the benchmark. With the history of git at hand, so is the hash of its code with the code of the
    commit that it names. What is missing is named at the end. Exits with 0 if all agree, with 1 if
    one does not or cannot be read.
    """
    from baselines.reproduction.commits import check_commits, notes, require_fit
    from leaderboard.tables import verification

    found = verification.verify(submissions, benchmark, split=split, note=click.echo)
    for line in (*found.disagreements, *found.missing):
        click.echo(line, err=True)
    commits = check_commits(submissions, benchmark)
    for line in notes(commits):
        click.echo(line, err=True)
    found.require_agreement(submissions)
    require_fit(commits, submissions)
    click.echo(f"{found.compared} scores.json agree with their predictions")


@leaderboard.command()
@click.argument("site", type=click.Path(path_type=Path), metavar="SITE")
@click.argument("name", metavar="NAME")
def freeze(site: Path, name: str) -> None:
    """Keep the built SITE as it stands at SITE/frozen/NAME/, an address that never changes.

    The manifest there lists the SHA-256 of each file, the ledger's head and last event, fingerprint
    and scorer; its own SHA-256 is printed, and the next build shows it beside the link. Every later
    build of SITE carries the frozen board over, byte for byte. Frozen boards do not become part of
    another one, and a name is taken once.
    """
    from harness.cli.progress import bar
    from leaderboard.site.frozen.freezing import freeze as freeze_site

    with bar("freezing", unit="files") as progress:
        made = freeze_site(site, name, progress=progress)
    click.echo(f"{made.folder}: {made.files:,} files, {made.size:,} bytes")
    click.echo(f"SHA-256 of manifest.json: {made.sha256}")
    click.echo("the next `ivcr leaderboard build` lists it on the front page", err=True)


@leaderboard.command("verify-frozen")
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option(
    "--manifest", metavar="SHA256", help="What the live board says that manifest.json has."
)
def verify_frozen(folder: Path, manifest: str | None) -> None:
    """Check a frozen board, SITE/frozen/NAME or a copy of it, against its manifest.

    Every file that is changed, missing or added is named; the exit code is then 1. No benchmark and
    no site is needed. Without --manifest, compare the printed SHA-256 with the published one
    yourself: who changed a page may have changed the manifest too.
    """
    from harness.cli.progress import bar
    from leaderboard.site.frozen.frozen_check import check_frozen

    with bar("checking", unit="bytes") as progress:
        found = check_frozen(folder, manifest, progress=progress)
    for line in found.problems:
        click.echo(line, err=True)
    found.require_whole(folder)
    click.echo(f"{folder}: {len(found.manifest.files):,} files are as they were frozen")
    click.echo(f"SHA-256 of manifest.json: {found.sha256}")


@leaderboard.command()
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def diff(old: Path, new: Path, form: str) -> None:
    """Show what changed from one built site to another, table by table.

    Rows that are new, gone or withdrawn; figures, ranks and rank ranges that moved, old and new.
    OLD and NEW are folders of sites, their leaderboard.csv, or (figures alone) leaderboard.json.
    """
    from harness.cli.submission import print_result
    from harness.files import readable
    from leaderboard.changes.board_diff import compare_sites
    from leaderboard.changes.diff_lines import diff_lines

    found = compare_sites(old, new)
    if form == "json":
        print_result(readable(found).decode("utf-8"))
    else:
        print_result("".join(f"{line}\n" for line in diff_lines(found)))
