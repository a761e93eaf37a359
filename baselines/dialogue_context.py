"""What the dialogue so far adds to a query: texts to search with, and the video in focus."""

from __future__ import annotations

from typing import Literal, NamedTuple

from baselines.base import Exchange, LabelledSplit, Query
from harness.errors import WrongUsageError
from harness.records import History

Context = Literal["last", "all", "decayed"]
# Each turn back counts half; a power of two keeps sums of weighted scores exact.
DECAY = 0.5


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
    found = utterances(query, context)
    if context == "all":
        return (Weighted("\n".join(text for text, _ in found), 1.0),)
    return found


def check_context(context: Context, history: History) -> None:
    """Raise WrongUsageError if `context` reads what `history` does not show."""
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


def told_by_reference(training: LabelledSplit) -> list[Query]:
    """All turns of a labelled split as reference history shows them, their candidates too."""
    found: list[Query] = []
    history: tuple[Exchange, ...] = ()
    for turn, gold in zip(training.turns, training.gold, strict=True):
        history = history if turn.turn > 1 else ()
        shown = training.candidates.get(turn.key, ())
        video_id = gold.video_id if turn.task == "moment" else None
        found.append(
            Query(turn.dialogue_id, turn.turn, turn.language, turn.task, turn.utterance,
                  shown, video_id, history)
        )  # fmt: skip
        history += (Exchange(turn.task, turn.utterance, gold.answer, gold.video_id, shown),)
    return found
