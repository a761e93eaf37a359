"""Views of a benchmark: what of it a baseline may read, to answer a split or to train."""

from __future__ import annotations

from baselines.base import LabelledSplit, MissingInputError, View
from baselines.running.run_config import RunConfig, RunContext
from harness.benchmark import Benchmark, Split


def view(
    benchmark: Benchmark,
    split: Split,
    config: RunConfig,
    context: RunContext,
    *,
    labels: bool = False,
) -> View:
    """The view with which a baseline prepares to answer `split`; `labels`: with those of train."""
    return View(
        videos=benchmark.videos,
        corpus=split.corpus,
        folder=benchmark.folder,
        history=config.history,
        seed=config.seed,
        training=labelled_split(benchmark, "train", config.entry.name) if labels else None,
        cache=context.cache,
        note=context.note,
    )


def training_view(benchmark: Benchmark, name: str, seed: int, context: RunContext) -> View:
    """The view with which the baseline `name` trains: labels of train and, if any, of val.

    The corpus is that of train. Nothing of the test split is in it but its videos' descriptions,
    which are listed with all others.
    """
    training = labelled_split(benchmark, "train", name)
    return View(
        videos=benchmark.videos,
        corpus=benchmark.split("train").corpus,
        folder=benchmark.folder,
        history="own",
        seed=seed,
        training=training,
        validation=labelled_split(benchmark, "val", name)
        if _has_labels(benchmark, "val")
        else None,
        cache=context.cache,
        note=context.note,
    )


def labelled_split(benchmark: Benchmark, split: str, name: str) -> LabelledSplit:
    """A split with its labels. Raises MissingInputError, for the baseline `name`, without them."""
    if not _has_labels(benchmark, split):
        raise MissingInputError(
            f"{benchmark.folder}: has no {split} split with labels, which {name} needs; "
            f"import the {split} file along with the others"
        )
    public = benchmark.split(split)
    return LabelledSplit(public.turns, benchmark.gold(split), public.candidates)


def _has_labels(benchmark: Benchmark, split: str) -> bool:
    return (benchmark.folder / split / "gold.jsonl").is_file()
