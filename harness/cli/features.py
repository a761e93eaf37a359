"""ivcr features: rows of numbers a video, computed here or by others, that baselines read."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import cache_option, resumable, show_note
from harness.errors import extras
from harness.records import SPLITS

benchmark_option = click.option(
    "--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark."
)
out_option = click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The folder to make."
)
name_option = click.option("--name", default="", metavar="TEXT", help="What people call them.")


@click.group()
def features() -> None:
    """Make folders of features of a benchmark's videos, and show what one holds.

    Baselines read them by `--set features=DIR`, several by `--set features=DIR,DIR2`.
    docs/features.md has a worked example.
    """


@features.command()
@benchmark_option
@click.option("--encoder", required=True, metavar="E",
              help="A checkpoint: a folder, or a name that `hf download` has fetched.")  # fmt: skip
@click.option("--revision", metavar="COMMIT", help="The commit of a name.")
@out_option
@click.option("--rate", default=1.0, show_default=True, type=click.FloatRange(0, min_open=True),
              help="Frames a second.")  # fmt: skip
@click.option("--most", type=click.IntRange(min=1), show_default="as many as the rate gives",
              help="The most frames of a video; they are spread over all of it.")  # fmt: skip
@click.option(
    "--split",
    "splits",
    multiple=True,
    type=click.Choice(SPLITS),
    show_default="all videos",
    help="Only the corpus of this split; may be repeated.",
)
@name_option
@click.option("--workers", type=click.IntRange(min=1), show_default="one a core",
              help="Processes that decode.")  # fmt: skip
@cache_option
def build(
    benchmark: Path,
    encoder: str,
    revision: str | None,
    out: Path,
    rate: float,
    most: int | None,
    splits: tuple[str, ...],
    name: str,
    workers: int | None,
    cache: Path,
) -> None:
    """Encode the frames of a benchmark's videos into the folder --out.

    The encoder is a checkpoint of the CLIP kind (its image embeddings, of length 1) or a network of
    pictures that `transformers` reads, such as ViT, DINOv2, ConvNeXt, ResNet, EfficientNet (its
    pooled output, else the mean of its patches). Rows are kept in --cache by the contents of
    files, so the same command goes on where a killed one stopped, and videos that others share are
    not encoded again.
    """
    from harness.benchmark import Benchmark

    again = f"{cache}: keeps what was encoded; the same command goes on from there"
    with extras("ivcr features build"), resumable(again):
        from baselines.features.feature_building import BuildOptions, build_features

        options = BuildOptions(encoder, revision, rate, most, splits, name, workers)
        build_features(Benchmark(benchmark).checked(), out, options, cache=cache, note=show_note)
    click.echo(str(out))


@features.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@benchmark_option
@out_option
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    help="Rows a second, where FILEs hold no times: row i stands at (i + 1/2) / R.",
)
@name_option
def import_(
    files: tuple[Path, ...], benchmark: Path, out: Path, rate: float | None, name: str
) -> None:
    """Take over features that others computed, from FILEs: npz, safetensors or HDF5.

    An array called ID, or ID/features, holds a video's rows: (frames, width), float16, float32 or
    float64. An array ID/times beside it holds their seconds from the video's first frame; else give
    --rate. In HDF5 a slash is a group. A FILE with the arrays `features` and `times` alone is of
    the video that its own name means. ID is the benchmark's id of the video, or a form of it that
    fits no other: without extension, with slashes as _, the last part of the path. How ids were
    matched, what is missing and what contradicts the videos' durations is said.
    """
    from baselines.features.feature_import import import_features
    from harness.benchmark import Benchmark

    with extras("an HDF5 file", "features"):
        import_features(
            files, Benchmark(benchmark).checked(), out, rate=rate, name=name, note=show_note
        )
    click.echo(str(out))


@features.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--benchmark", type=click.Path(path_type=Path), show_default="none",
              help="Say how many of this benchmark's videos are covered.")  # fmt: skip
def info(folder: Path, benchmark: Path | None) -> None:
    """Check the folder DIR against its hashes, and show what it holds."""
    from baselines.features.feature_description import description
    from baselines.features.feature_folder import FeatureFolder
    from harness.benchmark import Benchmark

    of = FeatureFolder(folder)
    of.verify()
    for line in description(of, Benchmark(benchmark).checked() if benchmark else None):
        click.echo(line)
