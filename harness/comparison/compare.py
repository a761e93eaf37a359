"""The whole comparison as one document."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from msgspec import Struct

from harness import __version__
from harness.benchmark import Benchmark
from harness.comparison.differences import Difference, differences
from harness.comparison.disagreements import DialogueSeen, most_unlike
from harness.comparison.entrants import Field, SystemShown, read
from harness.comparison.headlines import contests
from harness.comparison.notes import notes
from harness.comparison.propagation import Propagation, links, propagations
from harness.errors import WrongUsageError

HIDDEN = "labels are hidden: nothing may be shown of a single turn"


class Comparison(Struct, frozen=True):
    """Systems side by side; figures are fractions, times milliseconds.

    `dialogues` is None where labels are hidden, and `why` says so.
    """

    schema: int
    signature: str
    systems: tuple[SystemShown, ...]
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]
    propagation: tuple[Propagation, ...]
    dialogues: tuple[DialogueSeen, ...] | None
    why: str | None = None


def compare(
    folders: Sequence[Path], benchmark: Benchmark, split: str = "test", *, dialogues: int = 3,
    further: Sequence[str] = (),
) -> Comparison:  # fmt: skip
    """Compare the submissions in `folders`, each with each; `dialogues`: how many to show a pair.

    further: slices to compare on beside the usual ones, such as `tag=pixel`. Raises
    WrongUsageError for fewer than two or an unknown slice, SubmissionError if one is not valid.
    """
    if len(folders) < 2:
        raise WrongUsageError("expected two submissions or more to compare, found one")
    field = read(folders, benchmark, split)
    linked = links(field)
    return Comparison(
        schema=1,
        signature=_signature(field),
        systems=tuple(entrant.shown for entrant in field.entrants),
        notes=notes(field, linked),
        differences=differences(field, contests(field, further)),
        propagation=propagations(field, linked),
        dialogues=None if field.hidden else _dialogues(field, dialogues),
        why=HIDDEN if field.hidden else None,
    )


def _dialogues(field: Field, count: int) -> tuple[DialogueSeen, ...]:
    pairs = combinations(field.entrants, 2)
    return tuple(seen for pair in pairs for seen in most_unlike(field, *pair, count))


def _signature(field: Field) -> str:
    header = field.benchmark.header
    name = f"bench:{header.name}-{header.version}@{header.fingerprint[:6]}"
    return "|".join(
        ["ivcr compare", f"v:{__version__}", name, f"split:{field.split.name}", field.design.line()]
    )
