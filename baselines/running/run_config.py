"""What is to be run, and what of a benchmark a baseline may see for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from baselines.base import LabelledSplit, MissingInputError, View, silent
from baselines.registry import RegistryEntry
from harness.benchmark import Benchmark, Split
from harness.records import History


class RunConfig(Struct, frozen=True):
    """What to run: the baseline, its settings (`key=value`), the history, the split, the seed."""

    entry: RegistryEntry
    history: History
    assignments: tuple[str, ...] = ()
    split: str = "test"
    seed: int = 0


class RunContext(NamedTuple):
    """What a run finds around it: the folder for features kept, and who is told notes."""

    cache: Path | None = None
    note: Callable[[str], None] = silent


def view(benchmark: Benchmark, split: Split, plan: RunConfig, around: RunContext) -> View:
    """What a baseline prepares with to answer `split`."""
    needs = "train_labels" in plan.entry.about.needs
    return View(
        videos=benchmark.videos,
        corpus=split.corpus,
        folder=benchmark.folder,
        history=plan.history,
        seed=plan.seed,
        training=labelled_split(benchmark, "train", plan.entry.name) if needs else None,
        cache=around.cache,
        note=around.note,
    )


def training_view(benchmark: Benchmark, name: str, seed: int, around: RunContext) -> View:
    """What the baseline `name` trains with: labels of train and, if there are some, of val.

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
        cache=around.cache,
        note=around.note,
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
