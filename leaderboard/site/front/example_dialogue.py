"""One dialogue with its gold videos, to show on the front page what the benchmark asks for."""

from __future__ import annotations

from typing import NamedTuple

from leaderboard.results.dialogue_source import BrowsedDialogue, BrowsedTurn
from leaderboard.site.dialogue_pages import LARGEST_STRIP, DialogueBrowser, strip_path
from leaderboard.site.site_paths import page_of

SHORTEST, LONGEST = 2, 4  # turns


class ExampleDialogue(NamedTuple):
    """A dialogue, its place in the browser, and by video id the address of its frames."""

    dialogue: BrowsedDialogue
    page: str
    anchor: str
    strips: dict[str, str]


def examples(browser: DialogueBrowser) -> dict[str, ExampleDialogue]:
    """By language, the first dialogue that shows both tasks, with its frames.

    It has SHORTEST to LONGEST turns, all in that language, among them a search for a video and
    after it one for a moment. A language may have none.
    """
    source, found = browser.source(), {}
    for place, dialogue in enumerate(source.read(())):
        languages = {turn.language for turn in dialogue.turns}
        language = languages.pop() if len(languages) == 1 else ""
        if language not in found and language and _shows_both_tasks(dialogue.turns):
            found[language] = (place, dialogue)
        if len(found) == 2:
            break
    return {
        language: ExampleDialogue(
            dialogue, page_of(place), f"d{place + 1}", _strips(dialogue, browser)
        )
        for language, (place, dialogue) in found.items()
    }


def _shows_both_tasks(turns: tuple[BrowsedTurn, ...]) -> bool:
    tasks = [turn.task for turn in turns]
    return (
        SHORTEST <= len(turns) <= LONGEST
        and "video" in tasks
        and "moment" in tasks[tasks.index("video") :]
    )


def _strips(dialogue: BrowsedDialogue, browser: DialogueBrowser) -> dict[str, str]:
    """By video id the address of its frames in the browser, where it has some."""
    found = {}
    for video in sorted({turn.video for turn in dialogue.turns if turn.video}):
        path = strip_path(video)
        held = path in browser.unchanged or path in browser.strips
        if held or (not browser.unchanged and _has_strip(video, browser)):
            found[video] = path
    return found


def _has_strip(video: str, browser: DialogueBrowser) -> bool:
    data = browser.source().strip(video)
    return data is not None and len(data) <= LARGEST_STRIP
