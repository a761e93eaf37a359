"""What the dialogue so far adds to a query: texts to search with, and the video in focus."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from baselines.base import Exchange, LabelledSplit, Query
from harness.errors import WrongUsageError
from harness.records import History

Context = Literal["last", "all", "decayed"]
# Each turn back counts half; a power of two keeps sums of weighted scores exact.
DECAY = 0.5
# Words of an utterance that describe a video, as in "the video where ...", "找一个...的视频".
DESCRIBES_A_VIDEO = re.compile(
    r"\b(?:an?|any|another|some)\s+(?:[\w-]+\s+){0,2}(?:video|film)\b"
    r"|\b(?:video|film)\s+(?:in which|where|that|which|with|showing|of)\b"
    r"|(?:有|找|一|另)[^，。：]{0,4}(?:一?|到这)[个段部条][^，。：]{0,2}(?:视频|影片|录像)"
    r"|(?:有|找)一?[个段部条][^，。：]*的(?:视频|影片|录像)"
    r"|那[个段部条](?:视频|影片|录像)[里中]"
    r"|，(?:视频|影片|录像)[里中]",
    re.IGNORECASE,
)


class Weighted(NamedTuple):
    """A text to search with, and how much its score counts."""

    text: str
    weight: float


def utterances(query: Query, context: Context) -> tuple[Weighted, ...]:
    """The utterances that `context` searches with, the current one last, with weight 1.

    `last`: the current one. `all`: earlier ones too, with weight 1; where a score is a sum over
    words, this is the score of the joined text. `decayed`: an utterance n turns back has weight
    1/2 to the n. Answers are not searched with: they repeat a number and a span.
    """
    if context == "last":
        return (Weighted(query.utterance, 1.0),)
    weight = 1.0 if context == "all" else DECAY
    texts = [*(exchange.utterance for exchange in query.history), query.utterance]
    return tuple(
        Weighted(text, weight ** (len(texts) - 1 - position)) for position, text in enumerate(texts)
    )


def readings(query: Query, context: Context) -> tuple[Weighted, ...]:
    """The texts that a model which reads whole texts embeds, and how much each embedding counts.

    As `utterances`, but `all` is one text: the utterances of the dialogue so far, oldest first, one
    a line. A model that reads a limited length should keep the end of it, the current utterance.
    """
    weighted = utterances(query, context)
    if context == "all":
        return (Weighted("\n".join(text for text, _ in weighted), 1.0),)
    return weighted


def check_context(context: Context, history: History) -> None:
    """Check a setting. Raises WrongUsageError if `context` reads what `history` does not show."""
    if context != "last" and history == "none":
        raise WrongUsageError(
            f"context={context} reads earlier utterances, which history none does not show; "
            "take history own or reference, or context=last"
        )


def video_in_focus(query: Query) -> str | None:
    """The given video, else the latest one that the history names, else None."""
    if query.video_id is not None:
        return query.video_id
    named = (exchange.video_id for exchange in reversed(query.history))
    return next((video_id for video_id in named if video_id is not None), None)


def is_sought(query: Query) -> bool:
    """Whether a turn seeks a video: a video turn, or a moment turn that needs another video.

    A moment turn needs one if it is given none and either the history names none or the utterance
    itself describes a video. That rule goes by DESCRIBES_A_VIDEO alone: on IVCR-Mini's train split
    it separates the 51 moment turns that leave the video in focus from the 531 that stay at it in
    all cases; where people do not say so, as in turns joined together without a word on the video,
    it cannot.
    """
    if query.task != "moment" or query.video_id is not None:
        return query.task == "video"
    return video_in_focus(query) is None or DESCRIBES_A_VIDEO.search(query.utterance) is not None


def reference_queries(training: LabelledSplit) -> list[Query]:
    """All turns of a labelled split as reference history shows them, their candidates too."""
    queries: list[Query] = []
    history: tuple[Exchange, ...] = ()
    for turn, gold in zip(training.turns, training.gold, strict=True):
        history = history if turn.turn > 1 else ()
        shown = training.candidates.get(turn.key, ())
        video_id = gold.video_id if turn.task == "moment" else None
        queries.append(
            Query(turn.dialogue_id, turn.turn, turn.language, turn.task, turn.utterance,
                  shown, video_id, history)
        )  # fmt: skip
        history += (Exchange(turn.task, turn.utterance, gold.answer, gold.video_id, shown),)
    return queries
