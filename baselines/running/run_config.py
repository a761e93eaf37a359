"""What to run, and what of a benchmark a baseline may see for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, field

from baselines.base import LabelledSplit, MissingInputError, View, silent
from baselines.registry import RegistryEntry
from harness.benchmark import Benchmark, Split
from harness.records import History


class RunConfig(Struct, frozen=True):
    """What to run.

    assignments: settings as `key=value`. settings: settings by name, as a configuration file has
    them; those that are assigned come first. variant: how people tell the run from others of the
    baseline (None: by its settings).
    """

    entry: RegistryEntry
    history: History
    assignments: tuple[str, ...] = ()
    split: str = "test"
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    variant: str | None = None


class RunContext(NamedTuple):
    """What no answer depends on: the cache folder for features, and the function that shows notes.

    cache: None keeps nothing from run to run.
    """

    cache: Path | None = None
    note: Callable[[str], None] = silent


def view(benchmark: Benchmark, split: Split, config: RunConfig, context: RunContext) -> View:
    """What a baseline prepares with to answer `split`."""
    needs = "train_labels" in config.entry.about.needs
    return View(
        videos=benchmark.videos,
        corpus=split.corpus,
        folder=benchmark.folder,
        history=config.history,
        seed=config.seed,
        training=labelled_split(benchmark, "train", config.entry.name) if needs else None,
        cache=context.cache,
        note=context.note,
    )


def training_view(benchmark: Benchmark, name: str, seed: int, context: RunContext) -> View:
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
