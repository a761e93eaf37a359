"""The figures that rank a run: the first metric of each track that its history allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leaderboard.board.records import Cell, Entry
from leaderboard.results.description import MetricInfo
from leaderboard.tables.tracks import TRACKS, Track


def headline_figures(
    entry: Entry, metrics: Mapping[str, MetricInfo]
) -> Iterator[tuple[Track, MetricInfo, Cell]]:
    """Each track in which a run has a headline figure, by the run alone, in the order of TRACKS."""
    for track in TRACKS:
        if entry.card.history not in track.histories or track.metrics[0] not in metrics:
            continue
        cell = entry.cell(track.metrics[0], track.part)
        if cell is not None and cell.value is not None:
            yield track, metrics[track.metrics[0]], cell


def has_badge(entry: Entry, metrics: Mapping[str, MetricInfo]) -> bool:
    """Whether a run has a badge. It depends on no other run, as its page, which shows it."""
    return entry.ranked and any(True for _ in headline_figures(entry, metrics))
