"""The tracks: which metrics stand in one table, and under which history."""

from __future__ import annotations

from typing import NamedTuple

from harness.publication.headlines import CHOOSE_VIDEO, FIND_MOMENT, FIND_VIDEO
from harness.records import HISTORIES, History

TEXTS = ("BLEU-4", "chrF")


class Track(NamedTuple):
    """One task of all systems: its metrics, the first of which ranks them.

    `part`: the slice of the figures. `histories`: those under which the task is this one. Its title
    and its sentence are words of the interface (wording.toml).
    """

    name: str
    metrics: tuple[str, ...]
    histories: tuple[History, ...] = HISTORIES
    part: str = "all"


MOMENTS = (
    FIND_MOMENT,
    "R@1,IoU>=0.3",
    "R@1,IoU>=0.7",
    "R@5,IoU>=0.3",
    "R@5,IoU>=0.5",
    "R@5,IoU>=0.7",
    "mIoU",
)
TRACKS = (
    Track("video", (FIND_VIDEO, "R@5", "R@10", "R@100", "MRR", "nDCG@10", "MedR", "ahead_of_foil")),
    Track("choice", (CHOOSE_VIDEO, "C-R@1|in")),
    Track("moment", MOMENTS, ("reference", "none")),
    # With its own history a system does not get the gold video: it has to find it first.
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
    # Over segments of turns with one target; reference history gives the target away.
    Track("refinement", ("cumHit@10", "BRI@100", "nsDCG"), ("none", "own")),
)
