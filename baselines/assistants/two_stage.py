"""First stage, then an assistant: a retriever's ten best are what it chooses from and grounds in.

A file names the stages (`--config`; the assistant or the localiser may be left out):

    [retriever]
    baseline = "bm25"

    [assistant]
    baseline = "endpoint"
    settings = { model = "NAME", url = "http://127.0.0.1:8000/v1" }

    [localiser]
    baseline = "sliding_window"

In a turn that seeks a video (the rule of `pipeline`) the retriever's ten best become the
candidates; the assistant's choice stands first in the ranking, then the retriever's order: an
assistant that abstains changes nothing. The localiser finds a moment in the video chosen (or given,
or in focus), and the assistant explains it; without a localiser the assistant finds it too. The
official candidates are not read. With `own` history its errors go on from turn to turn; the same
with `reference` history, named as its pair, lets `ivcr compare` show by how much. Trains nothing.
The system of the benchmark's paper has these stages (X-Pool, then InterLLaVA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, MemberConfig, Provenance, Query, View
from baselines.dialogue_context import is_sought, video_in_focus
from baselines.running.composition import ComposedSettings, Member, member, merged, prepare
from baselines.vlm.prompts import seconds, worded
from harness.chat.usage import add_usage
from harness.errors import WrongUsageError
from harness.records import CandidateUse, Moment

ABOUT = About(composed=True, languages=("en", "zh"))
CANDIDATES = 10


class TwoStageSettings(ComposedSettings, frozen=True):
    """The stages.

    retriever: what ranks videos. assistant: what chooses among the best, grounds and answers.
    localiser: what finds moments.
    """

    retriever: MemberConfig = MemberConfig("bm25")
    assistant: MemberConfig | None = None
    localiser: MemberConfig | None = None


class TwoStage(Baseline):
    """Retriever, assistant and localiser, one after the other."""

    settings_type = TwoStageSettings
    _settings: TwoStageSettings

    def __init__(self, settings: TwoStageSettings) -> None:
        """Make the stages. Raises WrongUsageError if one cannot be part of the whole."""
        self._retriever = member(settings.retriever, "retriever", "unused")
        # The assistant's candidates are the retriever's videos.
        self._assistant = _stage(settings.assistant, "assistant", "used")
        self._localiser = _stage(settings.localiser, "localiser", "unused")
        if self._assistant is not None and not self._assistant.entry.about.explains:
            raise WrongUsageError(
                f"assistant: {self._assistant.entry.name} explains nothing; expected endpoint, "
                "local_mllm, interllava or no assistant"
            )

    def prepare(self, view: View) -> None:
        """Prepare all stages; raises what they raise."""
        prepare(self._stages(), view)

    def reads_train_labels(self, declared: bool) -> bool:
        """As a member needs."""
        return any(part.reads_train_labels for part in self._stages())

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers by all stages; each depends on its query alone."""
        rankings = self._retrieve(queries)
        shown = [
            replace(query, candidates=rankings[at][:CANDIDATES] if at in rankings else ())
            for at, query in enumerate(queries)
        ]
        replies = self._choose(shown)
        answers = [
            self._one(query, reply, rankings.get(at, ()))
            for at, (query, reply) in enumerate(zip(shown, replies, strict=True))
        ]
        return answers if self._localiser is None else self._locate(shown, answers)

    def restore_usage(self, usage: Mapping[str, int]) -> None:
        """Passed on to the assistant."""
        if self._assistant is not None:
            self._assistant.baseline.restore_usage(usage)

    def cost(self, usage: Mapping[str, int]) -> dict[str, int | float | str]:
        """The assistant's, if it has one; else what was counted."""
        return dict(usage) if self._assistant is None else self._assistant.baseline.cost(usage)

    def provenance(self) -> Provenance:
        """The stages' own."""
        return merged(self._stages())

    def _stages(self) -> list[Member]:
        stages = (self._retriever, self._assistant, self._localiser)
        return [stage for stage in stages if stage is not None]

    def _retrieve(self, queries: Sequence[Query]) -> dict[int, tuple[str, ...]]:
        """The retriever's ranking for each turn that seeks a video."""
        sought = [at for at, query in enumerate(queries) if is_sought(query)]
        searches = [replace(queries[at], task="video", video_id=None) for at in sought]
        answers = self._retriever.baseline.answer(searches)
        return {
            at: answer.videos or answer.choice or ()
            for at, answer in zip(sought, answers, strict=True)
        }

    def _choose(self, queries: Sequence[Query]) -> list[Answer]:
        """The assistant's answer to each turn; an empty one where it gets no question."""
        if self._assistant is None:
            return [_first_candidate(query) for query in queries]
        questions = {at: self._for_assistant(query) for at, query in enumerate(queries)}
        put = {at: query for at, query in questions.items() if query is not None}
        replies = dict(zip(put, self._assistant.baseline.answer(list(put.values())), strict=True))
        return [replies.get(at, Answer()) for at in range(len(queries))]

    def _for_assistant(self, query: Query) -> Query | None:
        """The assistant's question: of a moment that a localiser will find, the choice alone."""
        if self._localiser is None or query.task != "moment":
            return query
        return replace(query, task="video") if query.candidates else None

    def _one(self, query: Query, reply: Answer, ranking: tuple[str, ...]) -> Answer:
        """The answer to a query; a moment that a localiser has still to find is left open."""
        if query.task != "video":
            return reply
        order = tuple(dict.fromkeys([*(reply.videos or ()), *ranking]))
        return replace(reply, videos=order, choice=None)

    def _locate(self, queries: Sequence[Query], replies: list[Answer]) -> list[Answer]:
        """`replies` with the localiser's moments in the videos chosen, and their explanations."""
        assert self._localiser is not None  # noqa: S101 - `answer` checks it
        turns = [at for at, query in enumerate(queries) if query.task == "moment"]
        grounded = [
            replace(queries[at], video_id=_video_to_ground(queries[at], replies[at]), candidates=())
            for at in turns
        ]
        found = dict(zip(turns, self._localiser.baseline.answer(grounded), strict=True))
        moments = {at: answer.moments[0] for at, answer in found.items() if answer.moments}
        explanations = self._explain([(queries[at], of) for at, of in moments.items()])
        by_turn = dict(zip(moments, explanations, strict=True))
        located = list(replies)
        for at in turns:
            explanation = by_turn.get(at, Answer(response=""))
            located[at] = Answer(
                moments=found[at].moments or (),
                response=explanation.response,
                usage=add_usage(replies[at].usage, explanation.usage),
            )
        return located

    def _explain(self, moments: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        if self._assistant is not None:
            return self._assistant.baseline.explain(moments)
        return [_plainly(query, moment) for query, moment in moments]


def _stage(config: MemberConfig | None, place: str, candidates: CandidateUse) -> Member | None:
    return None if config is None else member(config, place, candidates)


def _first_candidate(query: Query) -> Answer:
    """The answer without an assistant: the retriever's best is the one."""
    if not query.candidates:
        return Answer(response="")
    return Answer(
        videos=query.candidates, response=worded(query.language, "chosen", number=1)
    )  # fmt: skip


def _video_to_ground(query: Query, reply: Answer) -> str | None:
    """The video in which a moment is sought: the one chosen, else the retriever's best."""
    if not query.candidates:
        return video_in_focus(query)
    return next(iter(reply.videos or query.candidates))


def _plainly(query: Query, moment: Moment) -> Answer:
    start, end = (seconds(at, query.language) for at in (moment.start, moment.end))
    return Answer(response=worded(query.language, "grounded", start=start, end=end))
