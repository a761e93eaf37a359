"""Statistics over dependent turns: intervals, paired tests, the ranks of a board."""

from harness.statistics.boards import Board, board, max_t, minimum_detectable, rank_ranges
from harness.statistics.design import Design, Figure, Ratios
from harness.statistics.intervals import Interval
from harness.statistics.pairs import (
    Differences,
    all_pairs,
    holm,
    paired,
    paired_errors,
    paired_smooth,
)
from harness.statistics.resampling import bootstrap
from harness.statistics.small_ps import drawn_p, excess_ps
from harness.statistics.units import connected_groups, resampling_units

__all__ = [
    "Board",
    "Design",
    "Differences",
    "Figure",
    "Interval",
    "Ratios",
    "all_pairs",
    "board",
    "bootstrap",
    "connected_groups",
    "drawn_p",
    "excess_ps",
    "holm",
    "max_t",
    "minimum_detectable",
    "paired",
    "paired_errors",
    "paired_smooth",
    "rank_ranges",
    "resampling_units",
]
