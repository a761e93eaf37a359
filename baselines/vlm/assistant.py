"""What all assistants do with a turn, whoever it is that is asked.

A video turn: which of the turn's candidates? A moment turn: when, in the given video (reference
history), else in the latest that the history names; where there is none, or the utterance describes
a video (the rule of baselines/localisers/pipeline.py), first the candidate is chosen. A chat turn
is answered with words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from baselines.base import MILLISECONDS, Answer, Query
from baselines.dialogue_context import video_in_focus
from baselines.localisers.pipeline import is_sought
from baselines.vlm.parsing import (
    NO_CANDIDATES,
    NO_VIDEO,
    Choice,
    read_choice,
    read_grounding,
    response,
)
from harness.chat.messages import Reply
from harness.chat.usage import ABSTAINED, COMPLETION, PROMPT, REQUESTS, UNCOUNTED
from harness.records import Moment, Video
from harness.replies.reading import EMPTY

Asked = TypeVar("Asked")
Written = TypeVar("Written", covariant=True)


class Writes(Protocol[Written]):
    """Writes down what is asked of a turn, for whoever is asked."""

    def choice(self, query: Query) -> Written:
        """Which of the query's candidates is meant?"""

    def grounding(self, query: Query, video_id: str) -> Written:
        """When in that video is what is meant?"""

    def talk(self, query: Query) -> Written:
        """What does one say to that?"""

    def explanation(self, query: Query, moment: Moment) -> Written:
        """Why this moment?"""


class Assistant(Generic[Asked]):
    """Asks, with all requests of a batch at once, and reads the replies."""

    def __init__(
        self,
        ask: Callable[[Sequence[Asked]], list[Reply]],
        writer: Writes[Asked],
        videos: Mapping[str, Video],
    ) -> None:
        self._ask, self._writer, self._videos = ask, writer, videos

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """An answer to each query; it depends on that query alone."""
        first = {at: self._first(query) for at, query in enumerate(queries)}
        heard = self._heard({at: asked for at, asked in first.items() if asked is not None})
        chosen = {
            at: read_choice(heard[at], len(query.candidates))
            for at, query in enumerate(queries)
            if at in heard and _chooses(query)
        }
        looked_into = {
            at: video_id
            for at, query in enumerate(queries)
            if query.task == "moment" and (video_id := _looked_into(query, chosen.get(at)))
        }
        again = self._heard({
            at: self._writer.grounding(queries[at], video_id)
            for at, video_id in looked_into.items()
            if at in chosen
        })  # fmt: skip
        return [
            self._read(
                query, heard.get(at), again.get(at), chosen.get(at), looked_into.get(at)
            )
            for at, query in enumerate(queries)
        ]  # fmt: skip

    def explain(self, told: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """For each query and the moment that was found for it: what is said to the user."""
        replies = self._ask([self._writer.explanation(query, moment) for query, moment in told])
        return [Answer(response=response(reply.text), usage=_spent(reply)) for reply in replies]

    def _heard(self, requests: Mapping[int, Asked]) -> dict[int, Reply]:
        return dict(zip(requests, self._ask(list(requests.values())), strict=True))

    def _first(self, query: Query) -> Asked | None:
        """What is asked of a turn at first, if anything can be."""
        if query.task == "chat":
            return self._writer.talk(query)
        if _chooses(query):
            return self._writer.choice(query)
        video_id = video_in_focus(query) if query.task == "moment" else None
        return None if video_id is None else self._writer.grounding(query, video_id)

    def _read(
        self,
        query: Query,
        first: Reply | None,
        second: Reply | None,
        choice: Choice | None,
        video_id: str | None,
    ) -> Answer:
        usage = _spent(first, second)
        if query.task == "chat":
            reply = first or Reply()
            said = response(reply.text)
            why = reply.why or (None if said else EMPTY)
            return Answer(response="" if why else said, usage=_abstained(usage, why))
        if query.task == "video":
            return _chosen(query, choice or Choice((), "", NO_CANDIDATES), usage)
        grounded = first if choice is None else second
        if video_id is None or grounded is None:
            why, said = (choice.why, choice.response) if choice else (NO_VIDEO, "")
            return Answer(moments=(), response=said, usage=_abstained(usage, why))
        duration = self._videos[video_id].duration
        found = read_grounding(grounded, video_id, duration)
        moments = () if found.moment is None else (found.moment,)
        return Answer(moments=moments, response=found.response, usage=_abstained(usage, found.why))


def _chooses(query: Query) -> bool:
    """Whether the turn's candidates are asked about."""
    return bool(query.candidates) and is_sought(query)


def _looked_into(query: Query, choice: Choice | None) -> str | None:
    """The video in which a moment turn is grounded."""
    if choice is None:
        return None if _chooses(query) else video_in_focus(query)
    return query.candidates[choice.numbers[0] - 1] if choice.numbers else None


def _chosen(query: Query, choice: Choice, usage: dict[str, int]) -> Answer:
    """The candidates named, then the others as they were given; none named: none at all."""
    if not choice.numbers:
        usage = _abstained(usage, choice.why)
        return Answer(videos=(), choice=(), response=choice.response, usage=usage)
    named = [query.candidates[number - 1] for number in choice.numbers]
    order = tuple(dict.fromkeys([*named, *query.candidates]))
    return Answer(videos=order, choice=order, response=choice.response, usage=usage)


def _spent(*replies: Reply | None) -> dict[str, int]:
    """What the replies cost."""
    total: Counter[str] = Counter()
    for reply in replies:
        if reply is None:
            continue
        total[REQUESTS] += 1
        total[PROMPT] += reply.prompt_tokens or 0
        total[COMPLETION] += reply.completion_tokens or 0
        total[MILLISECONDS] += reply.milliseconds
        total[UNCOUNTED] += reply.prompt_tokens is None or reply.completion_tokens is None
    return {name: count for name, count in total.items() if count or name != UNCOUNTED}


def _abstained(usage: dict[str, int], why: str | None) -> dict[str, int]:
    return usage if why is None else usage | {ABSTAINED + why: 1}
