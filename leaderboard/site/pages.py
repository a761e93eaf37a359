"""Turning records into HTML: the jinja environment, its filters and the security policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.publication.escaping import link, visible
from leaderboard.board import formatting
from leaderboard.board.records import Cell, LedgerMark
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.results.dialogue_source import BrowsedAnswer
from leaderboard.site.marks import bar, figure, gap, moment_marks, size, timeline
from leaderboard.site.plots import Series, ceiling, number, tenth
from leaderboard.site.site_paths import ENDINGS, anchor, page_of, slug
from leaderboard.site.table_rows import has_intervals, leader, scale, system_name, table_rows, tags
from leaderboard.site.views import cost_plots, progress_plots
from leaderboard.site.views.declared import table_filters
from leaderboard.site.wording import HTML_LANGUAGE, LANGUAGES, Words
from leaderboard.tables import heatmap
from leaderboard.tables.ranked_table import Table
from leaderboard.tables.remarks import remarks

NO_LEDGER = '<span class="ledger"></span>'


class Pages:
    """Renders templates for one benchmark, in both languages."""

    def __init__(self, bench: Bench, *, browsing: bool = False, mark: str = NO_LEDGER) -> None:
        """Load templates and assets; the policy allows exactly these assets.

        `browsing`: whether the site has the dialogue browser, to which pages then link; `mark`:
        what `ledger_mark` gives.
        """
        self.bench = bench
        self.environment = Environment(
            loader=PackageLoader("leaderboard.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters |= FILTERS
        self.shared = {
            "bench": bench,
            "browsing": browsing,
            "mark": Markup(mark),  # noqa: S704 - a hash and a time
            "policy": policy(),
            "style": asset("style.css"),
            "theme": asset("theme.js"),
            "sorting": asset("tables.js"),
            "comparing": asset("compare.js"),
            "searching": asset("search.js"),
        }

    def render(self, template: str, path: str, language: str, **values: Any) -> bytes:
        """One page. `path` is its place in the site without its ending, such as systems/x."""
        other = next(name for name in LANGUAGES if name != language)
        return (
            self.environment.get_template(template)
            .render(
                **{**self.shared, **values},
                page=path,
                t=Words(language),
                root="../" * path.count("/"),
                ending=ENDINGS[language],
                html_language=HTML_LANGUAGE[language],
                other_language=HTML_LANGUAGE[other],
                counterpart=path.rpartition("/")[2] + ENDINGS[other],
            )
            .encode()
        )


def ledger_mark(mark: LedgerMark | None) -> str:
    """How far the challenge's ledger went, as HTML that is the same in every language.

    A build puts the new one in the place of the old one on pages that it takes over.
    """
    if mark is None:
        return NO_LEDGER
    at = "" if mark.last_event is None else f" · <time>{mark.last_event}</time>"
    return f'<span class="ledger">ledger.jsonl <code>{mark.head}</code>{at}</span>'


@cache
def asset(name: str) -> Markup:
    """The text of one of our own assets, to stand inline."""
    text = files("leaderboard.site").joinpath("assets", name).read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file


@cache
def policy(*, images: bool = False, searching: bool = False) -> str:
    """Content security policy: our inline style and scripts by their hashes, nothing else.

    Hashes rather than 'self', which matches nothing in a page opened from a file. `images`: also
    images of the site itself, on a host or opened from a file. `searching`: the script of the
    search page in the place of those of tables. (An index in JSON is data to a browser, no script.)
    """
    own = ("search.js",) if searching else ("tables.js", "compare.js")

    def hashed(*names: str) -> str:
        digests = (hashlib.sha256(str(asset(name)).encode()).digest() for name in names)
        return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {hashed('style.css')}",
            f"script-src {hashed('theme.js', *own)}",
            "img-src data: 'self' file:" if images else "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def cost_heads(table: Table, words: Words) -> list[tuple[str, str, str]]:
    """Name and unit of each cost, and a key that is the same in every language."""
    return [
        (*cost_plots.name_and_unit(kind, words), f"cost: {visible(kind.name, cost_plots.UNIT)}")
        for kind in table.costs
    ]


def end(high: float, table: Table) -> str:
    """The same, as it is printed in the heading."""
    return formatting.short(high, table.columns[0]).removesuffix(".0")


def moved(value: float | None, metric: MetricInfo) -> str:
    """A figure of a correction, as tables show it, a dash where there is none."""
    return "–" if value is None else formatting.short(value, metric)


def rank_range(span: tuple[int, int, int] | None) -> str:
    """Best and worst rank and how many rows there were, a dash where there is none."""
    return "–" if span is None else f"{span[0]}–{span[1]} / {span[2]}"


def whole_bar(cell: Cell, metric: MetricInfo) -> Markup:
    """A figure as a bar on the metric's whole range, or on its own where that has no end."""
    bounded = metric.unit == "share"
    return bar(cell, metric.high if bounded else ceiling([cell.value, cell.high]))


def clock(span: tuple[float, float]) -> str:
    """A span in seconds as `12.5–30.0 s`."""
    return f"{span[0]:.1f}–{span[1]:.1f} s"


def by_place(series: Sequence[Series]) -> list[tuple[int, list[Cell]]]:
    """The points of several lines side by side, for the table under a plot."""
    places = sorted({place for line in series for place, _ in line.points})
    lines = [dict(line.points) for line in series]
    return [
        (place, [line.get(place, Cell(None, why="not in scores.json")) for line in lines])
        for place in places
    ]


def equal_answers(
    answers: Sequence[BrowsedAnswer], task: str
) -> list[tuple[BrowsedAnswer, list[int]]]:
    """Answers that differ in what is shown of them, with the places of the systems that gave each.

    In the order of the first of these systems; places count from 0.
    """
    groups: dict[BrowsedAnswer, list[int]] = {}
    for place, answer in enumerate(answers):
        if task == "video":
            same = answer._replace(moment=None)
        else:
            same = answer._replace(video=None, rank=None)
        groups.setdefault(same, []).append(place)
    return list(groups.items())


FILTERS: dict[str, Callable[..., Any]] = {
    "anchor": anchor,
    "bar": bar,
    "bound": "{:g}".format,
    "by_place": by_place,
    "clock": clock,
    "column_name": heatmap.column_name,
    "coordinate": number,
    "cost_heads": cost_heads,
    "cost_plots": cost_plots.cost_plots,
    "deviation": formatting.deviation,
    "end": end,
    "equal_answers": equal_answers,
    "exact": formatting.exact,
    "figure": figure,
    "gap": gap,
    "has_intervals": has_intervals,
    "interval": formatting.interval,
    "label": formatting.label,
    "leader": leader,
    "moment_marks": moment_marks,
    "link": link,
    "minutes": progress_plots.minutes,
    "moved": moved,
    "named_dominators": cost_plots.named_dominators,
    "page_of": page_of,
    "progress_plot": progress_plots.progress_plot,
    "rank_range": rank_range,
    "remarks": remarks,
    "scale": scale,
    "shade": heatmap.shade,
    "short": formatting.short,
    "signed": formatting.signed,
    "size": size,
    "slug": slug,
    "system_name": system_name,
    "table_filters": table_filters,
    "table_rows": table_rows,
    "tags": tags,
    "tenth": tenth,
    "timeline": timeline,
    "unit": formatting.unit,
    "visible": visible,
    "whole_bar": whole_bar,
}
