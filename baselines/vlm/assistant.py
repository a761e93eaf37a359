"""How an assistant answers a turn, whatever model stands behind it.

A video turn: which of the turn's candidates is meant? A moment turn: when, in the given video
(reference history), else in the latest video that the history names. If there is none, or the
utterance describes a video (`is_sought`), the model chooses a candidate first. A chat turn is
answered in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from baselines.base import MILLISECONDS, Answer, Query
from baselines.dialogue_context import is_sought, video_in_focus
from baselines.vlm.parsing import (
    NO_CANDIDATES,
    NO_VIDEO,
    Choice,
    read_choice,
    read_grounding,
    words,
)
from harness.chat.messages import IN_REASONING, NO_TOKENS, TOO_LONG, TOOL_CALL, Reply
from harness.chat.usage import (
    ABSTAINED,
    BY_SCHEMA,
    COMPLETION,
    CUT,
    IN_WORDS,
    PROMPT,
    REQUESTS,
    UNANSWERED,
    UNCOUNTED,
    UNEXPLAINED,
)
from harness.records import Moment, Video
from harness.replies.reading import BREAKS_OFF, CUT_OFF, EMPTY

_NOT_THE_MODELS = frozenset((BREAKS_OFF, CUT_OFF, IN_REASONING, NO_TOKENS, TOO_LONG, TOOL_CALL))
RequestT = TypeVar("RequestT")
RequestT_co = TypeVar("RequestT_co", covariant=True)


class RequestBuilder(Protocol[RequestT_co]):
    """Builds the requests of a turn in the form that a model takes."""

    def choice(self, query: Query) -> RequestT_co:
        """Which of the query's candidates is meant?"""

    def grounding(self, query: Query, video_id: str) -> RequestT_co:
        """When in that video is the moment that is meant?"""

    def talk(self, query: Query) -> RequestT_co:
        """What is the answer to a chat turn?"""

    def explanation(self, query: Query, moment: Moment) -> RequestT_co:
        """Why is this the moment?"""


class Assistant(Generic[RequestT]):
    """Sends all requests of a batch at once, and reads the replies.

    complete: returns a reply to each request, in order.
    """

    def __init__(
        self,
        complete: Callable[[Sequence[RequestT]], list[Reply]],
        builder: RequestBuilder[RequestT],
        videos: Mapping[str, Video],
    ) -> None:
        self._complete, self._builder, self._videos = complete, builder, videos

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """An answer to each query; it depends on that query alone."""
        requests = {at: self._first_request(query) for at, query in enumerate(queries)}
        replies = self._replies({at: each for at, each in requests.items() if each is not None})
        choices = {
            at: read_choice(replies[at], len(query.candidates))
            for at, query in enumerate(queries)
            if at in replies and _needs_choice(query)
        }
        videos = {
            at: video_id
            for at, query in enumerate(queries)
            if query.task == "moment" and (video_id := _video_to_ground(query, choices.get(at)))
        }
        second = self._replies({
            at: self._builder.grounding(queries[at], video_id)
            for at, video_id in videos.items()
            if at in choices
        })  # fmt: skip
        return [
            self._read(query, replies.get(at), second.get(at), choices.get(at), videos.get(at))
            for at, query in enumerate(queries)
        ]

    def explain(self, moments: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """For each query and its moment: what the model says about it to the user."""
        replies = self._complete([self._builder.explanation(*each) for each in moments])
        return [_explanation(reply) for reply in replies]

    def _replies(self, requests: Mapping[int, RequestT]) -> dict[int, Reply]:
        return dict(zip(requests, self._complete(list(requests.values())), strict=True))

    def _first_request(self, query: Query) -> RequestT | None:
        """The first request of a turn; None if there is nothing to choose from or to look at."""
        if query.task == "chat":
            return self._builder.talk(query)
        if _needs_choice(query):
            return self._builder.choice(query)
        video_id = video_in_focus(query) if query.task == "moment" else None
        return None if video_id is None else self._builder.grounding(query, video_id)

    def _read(
        self,
        query: Query,
        first: Reply | None,
        second: Reply | None,
        choice: Choice | None,
        video_id: str | None,
    ) -> Answer:
        usage = _usage(first, second)
        if query.task == "chat":
            return _chat_answer(first or Reply(), usage)
        if query.task == "video":
            return _video_answer(query, choice or Choice((), "", NO_CANDIDATES), usage)
        reply = first if choice is None else second
        if video_id is None or reply is None:
            why, text = (choice.why, choice.response) if choice else (NO_VIDEO, "")
            return Answer(moments=(), response=text, usage=_with_abstention(usage, why))
        grounding = read_grounding(reply, video_id, self._videos[video_id].duration)
        moments = () if grounding.moment is None else (grounding.moment,)
        usage = _with_abstention(usage, grounding.why)
        return Answer(moments=moments, response=grounding.response, usage=usage)


def _needs_choice(query: Query) -> bool:
    """Whether the model chooses among the turn's candidates."""
    return bool(query.candidates) and is_sought(query)


def _video_to_ground(query: Query, choice: Choice | None) -> str | None:
    """The video in which a moment turn is grounded."""
    if choice is None:
        return None if _needs_choice(query) else video_in_focus(query)
    return query.candidates[choice.numbers[0] - 1] if choice.numbers else None


def _chat_answer(reply: Reply, usage: dict[str, int]) -> Answer:
    return Answer(response=words(reply), usage=_with_abstention(usage, _why_silent(reply)))


def _explanation(reply: Reply) -> Answer:
    usage, why = _usage(reply), _why_silent(reply)
    counted = usage if why is None else usage | {UNEXPLAINED + why: 1}
    return Answer(response=words(reply), usage=counted)


def _why_silent(reply: Reply) -> str | None:
    """Why a reply has no words to the user; None: it has some."""
    return reply.why or (None if words(reply) else CUT_OFF if reply.cut else EMPTY)


def _video_answer(query: Query, choice: Choice, usage: dict[str, int]) -> Answer:
    """The chosen candidates, then the others in the given order; without a choice, none."""
    if not choice.numbers:
        usage = _with_abstention(usage, choice.why)
        return Answer(videos=(), choice=(), response=choice.response, usage=usage)
    chosen = [query.candidates[number - 1] for number in choice.numbers]
    order = tuple(dict.fromkeys([*chosen, *query.candidates]))
    return Answer(videos=order, choice=order, response=choice.response, usage=usage)


def _usage(*replies: Reply | None) -> dict[str, int]:
    """Counts of requests, tokens and time."""
    total: Counter[str] = Counter()
    for reply in replies:
        if reply is None:
            continue
        total[REQUESTS] += 1
        total[PROMPT] += reply.prompt_tokens or 0
        total[COMPLETION] += reply.completion_tokens or 0
        total[MILLISECONDS] += reply.milliseconds
        total[UNCOUNTED] += reply.prompt_tokens is None or reply.completion_tokens is None
        total[BY_SCHEMA] += reply.structured is True
        total[IN_WORDS] += reply.structured is False
        total[CUT] += reply.cut
    rare = (UNCOUNTED, BY_SCHEMA, IN_WORDS, CUT)
    return {name: count for name, count in total.items() if count or name not in rare}


def _with_abstention(usage: dict[str, int], why: str | None) -> dict[str, int]:
    if why is None:
        return usage
    return usage | {(UNANSWERED if why in _NOT_THE_MODELS else ABSTAINED) + why: 1}
