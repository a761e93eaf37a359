"""Small marks of a row or a turn: figures, and as SVG a bar with its interval and the like.

They are made here, not in templates: a page holds thousands, and a macro takes three times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from harness.publication.escaping import visible
from leaderboard.board.formatting import exact, short
from leaderboard.board.records import Cell, Pair
from leaderboard.results.description import MetricInfo
from leaderboard.site.plots import number

BAR = (128, 14)
LINE = (240, 14)


def figure(cell: Cell, metric: MetricInfo) -> Markup:
    """A figure with its full precision for machines, or a dash that says why there is none."""
    if cell.value is None:
        why = Markup(' title="{}"').format(visible(cell.why, 200)) if cell.why else ""
        return Markup('<span class="undefined"{}>–</span>').format(why)
    shown = f'<data value="{exact(cell.value)}">{short(cell.value, metric)}</data>'
    return Markup(shown)  # noqa: S704 - numbers alone


def size(count: int | None) -> Markup:
    """A number of turns or dialogues."""
    if count is None:
        return Markup("–")
    return Markup(f'<data value="{count:d}">{count:,}</data>')  # noqa: S704 - numbers alone


def bar(cell: Cell, high: float, floor: float | None = None) -> Markup:
    """A dot with its interval on a scale from 0 to `high`; `floor` as a dashed line.

    Hidden from screen readers: the same figures stand as text in the row.
    """
    width, height = BAR
    if cell.value is None:
        return Markup("")
    middle = height / 2

    def x(value: float) -> str:
        return number(2 + (width - 4) * min(max(value / high, 0.0), 1.0))

    parts = []
    if floor is not None:
        parts.append(f'<path class="floor" d="M{x(floor)} 0V{height}"/>')
    if cell.low is not None and cell.high is not None:
        parts.append(f'<path class="span" d="M{x(cell.low)} {middle:g}H{x(cell.high)}"/>')
    parts.append(f'<circle class="dot" cx="{x(cell.value)}" cy="{middle:g}" r="3.2"/>')
    svg = f'<svg class="bar" viewBox="0 0 {width} {height}" aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone


def gap(pair: Pair | None, reach: float) -> Markup:
    """A difference with its interval on a scale from -reach to `reach`; 0 as a dashed line.

    `pair` None draws a difference of 0, for a script to move. Hidden from screen readers: the same
    figures stand as text in the row.
    """
    width, height = BAR

    def x(value: float) -> str:
        return number(width / 2 + (width / 2 - 2) * min(max(value / reach, -1.0), 1.0))

    low, high = (None, None) if pair is None else (pair.low, pair.high)
    span = "" if low is None or high is None else f"M{x(low)} {height / 2:g}H{x(high)}"
    parts = [
        f'<path class="floor" d="M{x(0)} 0V{height}"/><path class="span" d="{span}"/>'
        f'<circle class="dot" cx="{x(pair.value if pair else 0)}" cy="{height / 2:g}" r="3.2"/>'
    ]
    svg = f'<svg class="bar" viewBox="0 0 {width} {height}" aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone


def moment_marks(
    moments: Sequence[tuple[int, tuple[float, float]]], duration: float | None
) -> Markup:
    """Gold moments under a strip of frames, one below the other, from 0 to the video's end.

    Hidden from screen readers: the same times stand as text in the turns.
    """
    if not moments:
        return Markup("")
    end = max(duration or 0.0, *(span[1] for _, span in moments))
    width, step = LINE[0], 7
    parts = [
        f'<rect class="gold" x="{number(width * start / end)}" y="{step * row + 1}"'
        f' width="{number(max(width * (stop - start) / end, 1.0))}" height="5"/>'
        for row, (_, (start, stop)) in enumerate(moments)
    ]
    view = f'viewBox="0 0 {width} {step * len(moments)}" preserveAspectRatio="none"'
    svg = f'<svg class="marks" height="{step * len(moments)}" {view} aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone


def timeline(
    gold: tuple[float, float], answer: tuple[float, float] | None, duration: float | None
) -> Markup:
    """The gold span above, the answered one below, from 0 to the video's end; all in seconds.

    Hidden from screen readers: the same times stand as text beside it.
    """
    width, height = LINE
    end = max(duration or 0.0, gold[1], answer[1] if answer else 0.0)
    spans = [("gold", 1, gold)] + ([("said", height / 2 + 1, answer)] if answer else [])
    parts = [
        f'<rect class="{name}" x="{number(width * span[0] / end)}" y="{y:g}"'
        f' width="{number(max(width * (span[1] - span[0]) / end, 1.0))}" height="5"/>'
        for name, y, span in spans
    ]
    svg = f'<svg class="timeline" viewBox="0 0 {width} {height}" aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone
