"""The tracks: which metrics stand in one table, and under which history."""

from __future__ import annotations

from typing import NamedTuple

from harness.records import HISTORIES, History

TEXTS = ("BLEU-4", "chrF")


class Track(NamedTuple):
    """A question asked of all systems: its columns, the first of which ranks them.

    `part` is the slice that the figures are of. `histories` are those under which the question is
    this one; its title and its sentence are words of the interface (wording.toml).
    """

    name: str
    metrics: tuple[str, ...]
    histories: tuple[History, ...] = HISTORIES
    part: str = "all"


MOMENTS = (
    "R@1,IoU>=0.5",
    "R@1,IoU>=0.3",
    "R@1,IoU>=0.7",
    "R@5,IoU>=0.3",
    "R@5,IoU>=0.5",
    "R@5,IoU>=0.7",
    "mIoU",
)
# What ranks systems is stated by the field: R@1 in search and choice, R@1 at IoU 0.5 in moments.
TRACKS = (
    Track("video", ("R@1", "R@5", "R@10", "R@100", "MRR", "nDCG@10", "MedR", "ahead_of_foil")),
    Track("choice", ("C-R@1", "C-R@1|in")),
    Track("moment", MOMENTS, ("reference", "none")),
    # With its own history a system is not told the gold video: it has to find it first.
    Track("end-to-end", MOMENTS, ("own",)),
    # A corpus-level figure of two languages at once is undefined, hence a track for each.
    Track("response-en", TEXTS, part="language=en"),
    Track("response-zh", TEXTS, part="language=zh"),
    Track(
        "dialogue",
        (
            "success",
            "turns_right",
            "S@3",
            "RMST@7",
            "P(right|right)",
            "P(right|wrong)",
            "recovery",
        ),
    ),
    # Over runs of turns with one target; with reference history the target has been told.
    Track("refinement", ("cumHit@10", "BRI@100", "nsDCG"), ("none", "own")),
)
