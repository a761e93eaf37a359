"""ivcr data: make a benchmark folder, show what one holds, and publish it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import ListingCommand
from harness.cli.organizing.publishing import open_labels, publish, verify_labels

if TYPE_CHECKING:
    from harness.benchmark import Labels
    from harness.sources.importing import ImportResult


@click.group()
def data() -> None:
    """Make a benchmark folder, show what one holds, and publish it."""


for _command in (publish, open_labels, verify_labels):
    data.add_command(_command)


def _sources() -> Mapping[str, str]:
    from harness.sources.readers import SOURCES

    return SOURCES


@data.command("import", cls=ListingCommand, heading="Sources", rows=_sources)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option(
    "--source", default="ivcr200k", show_default=True, metavar="NAME", help="The format of FILEs."
)
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    help="META: durations, texts and paths of the videos (JSON list or JSONL, plain or .gz).",
)
@click.option(
    "--videos-root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where META's paths start, on whatever disk; by default in the benchmark's folder.",
)
@click.option(
    "--corpus",
    type=click.Choice(["named", "all"]),
    default="named",
    show_default=True,
    help="A split's corpus: the videos that its dialogues name, or all of META.",
)
@click.option(
    "--labels",
    type=click.Choice(["public", "hidden"]),
    help="public (the default), or hidden: short for --hide test.",
)
@click.option(
    "--hide",
    metavar="SPLIT[,SPLIT]",
    help="Splits whose labels are hidden, test or test,val: their reference answers are withheld "
    "and nothing per turn is published.",
)
@click.option("--name", help="The benchmark's name; by default the first file's.")
def import_(
    files: tuple[Path, ...],
    out: Path,
    source: str,
    videos: Path | None,
    videos_root: Path | None,
    corpus: str,
    labels: str | None,
    hide: str | None,
    name: str | None,
) -> None:
    """Read data FILEs (plain or .gz) into a benchmark folder.

    Oddities of the files are listed, each with the rule by which the import treats it.
    """
    from harness.cli.progress import bar
    from harness.sources import importing

    settings = importing.ImportSettings(
        name=name or importing.name_of(files[0]),
        corpus=corpus,  # type: ignore[arg-type]
        labels=_labels(labels, hide),
        hide=tuple(name.strip() for name in ("test" if hide is None else hide).split(",")),
        source=source,
    )
    with bar("importing", unit="bytes") as progress:
        imported = importing.import_files(
            files, out, settings, videos=videos, videos_root=videos_root, progress=progress
        )
    _report(imported)


def _labels(labels: str | None, hide: str | None) -> Labels:
    """Whether labels are hidden. Raises WrongUsageError if the two options contradict."""
    from harness.errors import WrongUsageError

    if labels == "public" and hide is not None:
        raise WrongUsageError("--labels public hides nothing; leave it or --hide out")
    return "public" if labels != "hidden" and hide is None else "hidden"


@data.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option(
    "--seed", default=20251201, show_default=True, help="Another seed, another benchmark."
)
@click.option(
    "--train", default=480, show_default=True,
    help="Number of training videos, a multiple of 12; val and test stay as they are.",
)  # fmt: skip
def mini(out: Path, seed: int, train: int) -> None:
    """Render IVCR-Mini, the benchmark that the project ships (about a minute on two cores)."""
    from baselines.retrievers.bm25 import first_stage
    from harness.cli.progress import stages
    from harness.sources.mini_benchmark import import_mini

    with stages() as progress:
        imported = import_mini(
            out, seed=seed, train=train, first_stage=first_stage, progress=progress
        )
    _report(imported)


@data.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def info(folder: Path) -> None:
    """Show what a benchmark folder holds, and whether it may be handed out."""
    from harness.benchmark import Benchmark, VideoFolder
    from harness.cli.organizing.publishing import show_standing
    from harness.files import shown
    from harness.public_copy.standing import standing
    from harness.records import SPLITS

    benchmark = Benchmark(folder).checked()
    header = benchmark.header
    hidden = [name for name in sorted(header.splits, key=SPLITS.index)
              if benchmark.labels(name) == "hidden"]  # fmt: skip
    of = f" ({', '.join(hidden)})" if hidden else ""
    click.echo(f"{header.name} {header.version}, labels {header.labels}{of}")
    click.echo(f"fingerprint {header.fingerprint}")
    for source in header.sources:
        click.echo(f"from {source.file} ({source.importer}, SHA-256 {source.sha256})")
    for name, counts in header.splits.items():
        click.echo(
            f"{name:>5}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items())
        )
    if (named := VideoFolder(folder).named) is not None:
        click.echo(f"files of videos below {shown(str(named), 4096)}")
    described = sum(video.duration is not None for video in benchmark.videos.values())
    click.echo(f"{len(benchmark.videos):,} videos, {described:,} with a duration")
    show_standing(standing(benchmark))


@data.command()
@click.argument("benchmark", type=click.Path(path_type=Path), metavar="BENCHMARK")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="The file to write, croissant.json in the folder that is handed out; by default the "
    "description goes to standard output.",
)  # fmt: skip
def croissant(benchmark: Path, out: Path | None) -> None:
    """Describe BENCHMARK in Croissant 1.1, with fields on responsible AI (RAI 1.0).

    It describes the copy that participants get: files with sizes and hashes, records, languages,
    how the data came about, its limits. Nothing of hidden labels is in it. Paths in it start at
    the file's own folder.
    """
    from harness.benchmark import Benchmark
    from harness.cli.options import show_note
    from harness.croissant import describe
    from harness.files import open_replacement

    described = describe(Benchmark(benchmark))
    if out is None:
        click.echo(described.data().decode(), nl=False)
    else:
        with open_replacement(out) as stream:
            stream.write(described.data())
        click.echo(f"{out}: {len(described.node['recordSet'])} record sets")
    if described.lacking:
        show_note(
            f"left out, because benchmark.json does not say it: {', '.join(described.lacking)} "
            "(its key `about`: docs/croissant.md)"
        )
    if described.is_of_copy:
        show_note(
            "it describes the copy that participants get; put it there: BENCHMARK itself has other "
            "hashes or places of videos"
        )


def _report(imported: ImportResult) -> None:
    """Print the folder's contents and the oddities of its files."""
    from harness.benchmark import Benchmark
    from harness.replies import reading_line

    header = Benchmark(imported.folder).header
    click.echo(f"{imported.folder}: {header.name}, fingerprint {header.fingerprint[:12]}")
    for name, counts in header.splits.items():
        click.echo(
            f"{name:>5}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items())
        )
    click.echo("odd in the files:" if imported.oddities else "nothing odd in the files")
    for row in imported.oddities:
        click.echo(row.line())
    for reading in imported.readings:
        click.echo(reading_line(reading))
