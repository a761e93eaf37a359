"""The pages dialogues/search, search-2, ...: a table that works by itself, filtered by a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from leaderboard.board.records import Entry
from leaderboard.results.dialogue_source import BrowsedDialogue
from leaderboard.site.dialogue_search.search_index import TASKS, search_index, split_pages
from leaderboard.site.pages import Pages, policy
from leaderboard.site.site_paths import DIALOGUES, ENDINGS, page_of
from leaderboard.site.wording import LANGUAGES


class SearchRow(NamedTuple):
    """A dialogue in the table: its place from 1, the name of its page, what stands in the cells."""

    place: int
    page: str
    dialogue: BrowsedDialogue
    languages: tuple[str, ...]
    tasks: tuple[str, ...]


class SearchPart(NamedTuple):
    """A search page: its file's name without ending, its first and its last dialogue, from 1."""

    name: str
    first: int
    last: int


def search_pages(
    pages: Pages,
    dialogues: Sequence[BrowsedDialogue],
    names: Sequence[str],
    entries: Sequence[Entry],
) -> Iterator[tuple[str, bytes]]:
    """Every search page: its path in the site, and its bytes.

    entries: the systems shown, in the order of their answers; names: theirs, safe to show.
    """
    turns = [turn for dialogue in dialogues for turn in dialogue.turns]
    spans = list(split_pages(dialogues))
    parts = [
        SearchPart("search" if number == 1 else f"search-{number}", first + 1, last)
        for number, (first, last) in enumerate(spans, start=1)
    ]
    shared = {
        "policy": policy(searching=True),
        "parts": parts,
        "all": len(dialogues),
        "names": names,
        "entries": entries,
        "types": sorted({dialogue.type for dialogue in dialogues}),
        "languages": sorted({turn.language for turn in turns}),
        "tasks": [task for task in TASKS if any(turn.task == task for turn in turns)],
        "lengths": sorted({len(dialogue.turns) for dialogue in dialogues}),
    }
    for part, (first, last) in zip(parts, spans, strict=True):
        own = {
            "part": part,
            "rows": [_row(place, dialogues[place]) for place in range(first, last)],
            "index": search_index(dialogues[first:last]),
        }
        for language in LANGUAGES:
            path = f"{DIALOGUES}/{part.name}"
            yield (
                path + ENDINGS[language],
                pages.render("search.html", path, language, **shared, **own),
            )


def _row(place: int, dialogue: BrowsedDialogue) -> SearchRow:
    return SearchRow(
        place + 1,
        page_of(place).rpartition("/")[2],
        dialogue,
        tuple(dict.fromkeys(turn.language for turn in dialogue.turns)),
        tuple(dict.fromkeys(turn.task for turn in dialogue.turns)),
    )
