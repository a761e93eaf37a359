"""The whole comparison as one document."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from msgspec import Struct

from harness.benchmark import Benchmark
from harness.comparison.differences import Difference, differences
from harness.comparison.disagreements import DialogueComparison, largest_disagreements
from harness.comparison.entrants import EntrantSet, SystemInfo, read_entrants
from harness.comparison.headlines import headline_cells, headline_pairs
from harness.comparison.notes import left_out, notes
from harness.comparison.propagation import Propagation, history_pairs, propagations
from harness.errors import WrongUsageError
from harness.version import __version__

HIDDEN = "labels are hidden: nothing may be shown of a single turn"


class Comparison(Struct, frozen=True):
    """A comparison of systems; figures are fractions, times milliseconds.

    `left_out`: how many cells, a metric on a slice each, are left out because they are small.
    `dialogues` is None where labels are hidden, and `why` says so.
    """

    schema: int
    signature: str
    systems: tuple[SystemInfo, ...]
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]
    propagation: tuple[Propagation, ...]
    dialogues: tuple[DialogueComparison, ...] | None
    why: str | None = None
    left_out: int = 0


def compare(
    folders: Sequence[Path], benchmark: Benchmark, split: str = "test", *, dialogues: int = 3,
    further: Sequence[str] = (), small: bool = False,
) -> Comparison:  # fmt: skip
    """Compare the submissions in `folders`, each with each; `dialogues`: how many to show a pair.

    `further`: slices beside the usual ones, such as `tag=pixel`. `small`: whether turn numbers of
    fewer than SMALLEST_CELL turns are shown. Raises WrongUsageError for fewer than two or an
    unknown slice, SubmissionError if one is not valid.
    """
    if len(folders) < 2:
        raise WrongUsageError("expected two submissions or more to compare, found one")
    systems = read_entrants(folders, benchmark, split)
    pairs = history_pairs(systems)
    cells = headline_cells(systems, further)
    shown = [cell for cell in cells if small or not cell.small]
    return Comparison(
        schema=1,
        signature=_signature(systems),
        systems=tuple(entrant.info for entrant in systems.entrants),
        notes=(*notes(systems, pairs), *left_out(cells, shown, hidden=systems.labels_hidden)),
        differences=differences(systems, headline_pairs(systems, shown)),
        propagation=propagations(systems, pairs),
        dialogues=None if systems.labels_hidden else _dialogues(systems, dialogues),
        why=HIDDEN if systems.labels_hidden else None,
        left_out=len(cells) - len(shown),
    )


def _dialogues(systems: EntrantSet, count: int) -> tuple[DialogueComparison, ...]:
    pairs = combinations(systems.entrants, 2)
    return tuple(each for pair in pairs for each in largest_disagreements(systems, *pair, count))


def _signature(systems: EntrantSet) -> str:
    header = systems.benchmark.header
    name = f"bench:{header.name}-{header.version}@{header.fingerprint[:6]}"
    return "|".join(
        [
            "ivcr compare",
            f"v:{__version__}",
            name,
            f"split:{systems.split.name}",
            systems.design.line(),
        ]
    )
