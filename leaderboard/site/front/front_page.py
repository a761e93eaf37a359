"""The front page: what the benchmark is, how to take part, the overview, and what is not ranked.

A long overview has a page to itself, of which the front page shows the first rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leaderboard.board.records import BoardContents
from leaderboard.results.description import MetricInfo
from leaderboard.site.dialogue_pages import DialogueBrowser
from leaderboard.site.feeds.atom import FEED, has_feed
from leaderboard.site.front.example_dialogue import examples
from leaderboard.site.front.overview_rows import control_rows, overview_filters, overview_rows
from leaderboard.site.front.visible_marks import VisibleMarks, visible_marks
from leaderboard.site.frozen.manifest import FrozenBoard
from leaderboard.site.pages import Pages, policy
from leaderboard.site.site_paths import ENDINGS
from leaderboard.site.wording import Words
from leaderboard.tables.overview import Overview, overview
from leaderboard.tables.ranked_table import Table, by_track

MOST = 100  # rows of the overview, and systems beside it, on the front page


class FrontPage:
    """The front page of a board, and the page of its whole overview where that is long."""

    def __init__(
        self,
        board: BoardContents,
        tables: Sequence[Table],
        metrics: Mapping[str, MetricInfo],
        browser: DialogueBrowser | None,
        frozen: Sequence[FrozenBoard] = (),
    ) -> None:
        """Choose what is shown. `browser`: None where the site has no dialogues."""
        self._frozen = frozen
        self._board, self._metrics = board, metrics
        self._tracks = list(by_track(tables).items())
        named = board.about.headline if board.about else None
        self._overview = overview(
            tables, (named.track, named.history, named.candidates) if named else None
        )
        self._examples = {} if browser is None else examples(browser)

    @property
    def overview(self) -> Overview:
        """The overview of the board."""
        return self._overview

    def files(self, pages: Pages, language: str) -> Iterator[tuple[str, bytes]]:
        """The pages in one language: their places without endings, and their bytes."""
        found, words, ending = self._overview, Words(language), ENDINGS[language]
        marks = visible_marks(found, MOST)
        example = self._examples.get(language) or next(iter(self._examples.values()), None)
        values = {
            **self._values(pages),
            "overview": found,
            "marks": marks,
            "notes": _notes(marks, pages.bench.labels == "public"),
            "rows": overview_rows(found, MOST, words, "", ending),
            "left": len(found.rows) > MOST,
            "elsewhere": found.elsewhere[:MOST],
            "more_elsewhere": max(0, len(found.elsewhere) - MOST),
            "controls": control_rows(found, words, "", ending),
            "filters": overview_filters(found, MOST),
            "example": example,
            "policy": policy(images=bool(example and example.strips)),
        }
        yield "index", pages.render("index.html", "index", language, **values)
        if len(found.rows) > MOST:
            whole = {
                "overview": found,
                "marks": visible_marks(found, None),
                "rows": overview_rows(found, None, words, "", ending),
                "filters": overview_filters(found._replace(controls=()), None),
            }
            yield "overview", pages.render("overview.html", "overview", language, **whole)

    def _values(self, pages: Pages) -> dict[str, Any]:
        board = self._board
        floors = sum(entry.floor for entry in board.entries)
        public = pages.bench.labels == "public"
        return {
            "about": board.about,
            "updated": board.mark.last_event if board.mark else None,
            "feed": FEED if has_feed(board) else None,
            "tracks": self._tracks,
            "systems": len(board.entries) - floors,
            "floors": floors,
            "reported": board.reported,
            "refused": board.refused,
            "pending": board.pending,
            "withdrawn": board.withdrawn,
            "terms": board.terms,
            "corrections": board.corrections,
            "frozen": self._frozen,
            "all_metrics": self._metrics,
            # Whether typed figures agree tells figures: an oracle, where labels are hidden.
            "differing": board.differing if public else (),
        }


def _notes(marks: VisibleMarks, public: bool) -> list[tuple[str, str | None]]:
    """How to read the tables: each note, and the sentence on a mark that stands on the page."""
    alike = "standing.alike" if marks.alike else None
    first = ("floor", "notes.dashed" if marks.dashed else None)
    if not public:
        return [first, ("rounded", alike), ("apart", None)]
    own = "notes.own" if marks.own else None
    return [first, ("interval", alike), ("apart", None), ("public", own)]
