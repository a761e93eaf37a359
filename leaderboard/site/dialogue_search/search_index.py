"""The index of the search page: what of each dialogue can be searched, as JSON inside the page.

A page may ask nobody for a file, so the index is part of it. Where that would make the page large,
there are several pages, each with the dialogues that follow those of the page before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from harness.files import canonical
from harness.publication.escaping import visible
from leaderboard.results.dialogue_source import BrowsedDialogue, BrowsedTurn

TASKS = ("video", "moment", "chat")
LONGEST_UTTERANCE, LONGEST_VIDEO = 2_000, 400  # characters; the first as the dialogue pages cut it
MOST_DIALOGUES, MOST_TEXT = 2_000, 1_000_000  # of one page; the second in bytes of utterances


def split_pages(dialogues: Sequence[BrowsedDialogue]) -> Iterator[tuple[int, int]]:
    """First dialogue, from 0, and the one after the last, of each search page; at least one page.

    A page has at most MOST_DIALOGUES and, unless a single dialogue has more, MOST_TEXT.
    """
    first, text = 0, 0
    for place, dialogue in enumerate(dialogues):
        more = sum(len(turn.utterance.encode()) for turn in dialogue.turns)
        if place > first and (place - first == MOST_DIALOGUES or text + more > MOST_TEXT):
            yield first, place
            first, text = place, 0
        text += more
    yield first, len(dialogues)


def search_index(dialogues: Sequence[BrowsedDialogue]) -> Markup:
    """The index of some dialogues, safe inside a <script type="application/json">.

    `languages`, `videos`: what turns name by number; `dialogues`: of each its type and its turns;
    a turn is [language, task (a place in TASKS), utterance, gold video or -1, verdicts], and the
    verdicts of a retrieval turn are a 1 or a 0 for each system shown.
    """
    turns = [turn for dialogue in dialogues for turn in dialogue.turns]
    languages = sorted({turn.language for turn in turns})
    videos = sorted({turn.video for turn in turns if turn.video})
    numbers = {video: number for number, video in enumerate(videos)}

    def entry(turn: BrowsedTurn) -> tuple[int, int, str, int, str]:
        return (
            languages.index(turn.language),
            TASKS.index(turn.task),
            visible(turn.utterance, LONGEST_UTTERANCE),
            numbers.get(turn.video or "", -1),
            "" if turn.task == "chat" else "".join("01"[each.right] for each in turn.answers),
        )

    value = {
        "languages": [visible(language) for language in languages],
        "videos": [visible(video, LONGEST_VIDEO) for video in videos],
        "dialogues": [(each.type, [entry(turn) for turn in each.turns]) for each in dialogues],
    }
    # No tag and no comment can begin in it.
    text = canonical(value).decode("utf-8").replace("<", "\\u003c")
    return Markup(text)  # noqa: S704 - see above
