"""Whether a scores.json belongs to its card and to the benchmark, and is possible at all."""

from __future__ import annotations

from collections.abc import Mapping

from harness.files import shown
from harness.records import Card
from leaderboard.board.records import Cell, Scores
from leaderboard.results.description import Bench, MetricInfo

PROTOCOL = "ivcr"
SLACK = 1e-6  # figures are rounded to ten digits, which may pass a bound by a hair


def disagreement(
    scores: Scores, card: Card, bench: Bench, metrics: Mapping[str, MetricInfo]
) -> str | None:
    """The first reason why `scores` must not be shown, None if there is none."""
    reason = (
        _protocol(scores)
        or _benchmark(scores, bench)
        or _card(scores, card)
        or _signature(scores, bench)
        or _counts(scores, bench.counts["turns"])
        or _figures(scores, metrics, hidden=bench.labels == "hidden")
    )
    return reason and f"{reason}; {score_again(bench)}"


def score_again(bench: Bench) -> str:
    """The next step where scores are not those of a submission."""
    split = "" if bench.split == "test" else f" --split {bench.split}"
    return f"score the submission again with `ivcr score SUB --benchmark B{split}`"


def _protocol(scores: Scores) -> str | None:
    if scores.protocol != PROTOCOL:
        return (
            f"expected protocol {PROTOCOL}, found {shown(scores.protocol)}; figures of two"
            " protocols never stand in one column"
        )
    return None


def _benchmark(scores: Scores, bench: Bench) -> str | None:
    found = scores.benchmark
    for what, theirs, ours in (
        ("fingerprint", found.fingerprint, bench.fingerprint),
        ("gold hash", found.gold_sha256, bench.gold_sha256),
        ("split", found.split, bench.split),
    ):
        if theirs != ours:
            return (
                f"{what} is {shown(theirs, 16)}, this benchmark's is {shown(ours, 16)}"
                " (is --benchmark the one that is meant?)"
            )
    return None


def _card(scores: Scores, card: Card) -> str | None:
    for what in ("team", "system", "history", "candidates"):
        theirs, declared = getattr(scores.submission, what), getattr(card, what)
        if theirs != declared:
            return f"{what} is {shown(theirs)}, card.toml says {shown(declared)}"
    return None


def _signature(scores: Scores, bench: Bench) -> str | None:
    parts = scores.signature.split("|")
    expected = (
        PROTOCOL,
        f"bench:{bench.name}-{bench.version}@{bench.fingerprint[:6]}",
        f"split:{bench.split}",
        f"hist:{scores.submission.history}",
        f"cand:{scores.submission.candidates}",
    )
    missing = [part for part in expected if part not in parts]
    if missing:
        return f"signature lacks {shown(missing[0])}: {shown(scores.signature)}"
    return None


def _counts(scores: Scores, turns: int) -> str | None:
    for part, cells in scores.metrics.items():
        for name, cell in cells.items():
            # Dialogues and segments have a turn or more.
            if max(cell.turns or 0, cell.dialogues or 0) > turns:
                return (
                    f"{shown(name)} on {shown(part)} counts more than the split's {turns:,} turns"
                )
    return None


def _figures(scores: Scores, metrics: Mapping[str, MetricInfo], *, hidden: bool) -> str | None:
    for part, cells in scores.metrics.items():
        for name, cell in cells.items():
            if name in metrics and (reason := _impossible(cell, metrics[name])):
                # The reason stands on the site, where hidden labels forbid the figure itself.
                reason = "is no possible figure, or its interval is none" if hidden else reason
                return f"{shown(name)} on {shown(part)} {reason}"
    return None


def _impossible(cell: Cell, metric: MetricInfo) -> str | None:
    if cell.value is None:
        return None
    # What an abstention scores may lie outside the range: rank 101 bounds a median, as "past 100".
    low, high = min(metric.low, metric.abstention), max(metric.high, metric.abstention)
    for bound in (cell.value, cell.low, cell.high):
        if bound is not None and not low - SLACK <= bound <= high + SLACK:
            return f"is {bound:g}, outside {low:g} to {high:g}"
    if cell.low is not None and cell.high is not None and cell.low > cell.high:
        return f"has an interval from {cell.low:g} down to {cell.high:g}"
    return None
