"""What to run: the baseline, its settings, history, split and seed; and where it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, field

from baselines.base import silent
from baselines.provenance.threads import usual_threads
from baselines.registry import RegistryEntry
from harness.records import History, normalise, whole_number


class RunConfig(Struct, frozen=True):
    """What to run.

    assignments: settings as `key=value`. settings: settings by name, as a configuration file has
    them; those that are assigned come first. variant: how people tell the run from others of the
    baseline (None: by its settings). threads: with how many each process computes; by default as
    OMP_NUM_THREADS says, else one for each processor. card: fields of the card that whoever runs it
    declares, such as `team`; they come before what the baseline says of itself.
    """

    entry: RegistryEntry
    history: History
    assignments: tuple[str, ...] = ()
    split: str = "test"
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    variant: str | None = None
    threads: int = field(default_factory=usual_threads)
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        normalise(self, "seed", whole_number, "RunConfig.seed: expected a whole number")
        normalise(self, "threads", whole_number, "RunConfig.threads: expected a whole number")
        if self.threads < 1:
            raise ValueError(f"RunConfig.threads: expected 1 or more, found {self.threads}")


class RunContext(NamedTuple):
    """What no answer depends on: the cache folder for features, and the function that shows notes.

    cache: None keeps nothing from run to run. argv: the words of the command, for environment.json.
    """

    cache: Path | None = None
    note: Callable[[str], None] = silent
    argv: tuple[str, ...] | None = None
