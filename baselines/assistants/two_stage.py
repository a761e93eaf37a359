"""First stage, then an assistant: a retriever's ten best are what it chooses from and grounds in.

`retriever`, `assistant` and `localiser` name baselines with their settings
(baselines/running/composition.py), as in `assistant=endpoint?model=NAME`; `none` leaves the
assistant or the localiser out. In a turn that seeks a video (the rule of `pipeline`) the
retriever's ten best become the candidates; the assistant's choice stands first in the ranking, then
the retriever's order: an assistant that abstains changes nothing. A moment is found by the
localiser in the video chosen (or given, or in focus), and the assistant explains it; without a
localiser the assistant finds it too. The official candidates are not read. With `own` history its
errors go on from turn to turn; the same with `reference` history, named as its pair, lets `ivcr
compare` show by how much. Trains nothing. The system of the benchmark's paper has these stages
(X-Pool, then InterLLaVA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.dialogue_context import video_in_focus
from baselines.localisers.pipeline import is_sought
from baselines.running.composition import Member, lasting_text, merged, one_member, prepare
from baselines.vlm.prompts import seconds, worded
from harness.chat.usage import add_usage
from harness.errors import WrongUsageError
from harness.records import Moment

ABOUT = About(languages=("en", "zh"))
CANDIDATES = 10
NONE = "none"


class TwoStageSettings(Settings, frozen=True):
    """The stages."""

    retriever: str = "bm25"
    assistant: str = NONE
    localiser: str = NONE

    def result_settings(self) -> dict[str, str]:
        """The stages without what no answer depends on, such as a server's address."""
        return {name: lasting_text(value) for name, value in msgspec.to_builtins(self).items()}


class TwoStage(Baseline):
    """Retriever, assistant and localiser, one after the other."""

    settings_type = TwoStageSettings
    _settings: TwoStageSettings

    def __init__(self, settings: TwoStageSettings) -> None:
        """Make the stages. Raises WrongUsageError if a setting cannot be read."""
        self._retriever = one_member(settings.retriever, "retriever", "unused")
        # What the assistant is shown as candidates are the retriever's videos.
        self._assistant = _stage(settings.assistant, "assistant", "used")
        self._localiser = _stage(settings.localiser, "localiser", "unused")
        if self._assistant is not None and not self._assistant.entry.about.explains:
            raise WrongUsageError(
                f"--set assistant: {self._assistant.entry.name} explains nothing; expected "
                "endpoint, local_mllm, interllava or none"
            )

    def prepare(self, view: View) -> None:
        """Prepare all stages; raises what they raise."""
        prepare(self._stages(), view)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers by all stages; each depends on its query alone."""
        found = self._retrieved(queries)
        shown = [
            replace(query, candidates=found[at][:CANDIDATES] if at in found else ())
            for at, query in enumerate(queries)
        ]
        told = self._told(shown)
        answers = [
            self._one(query, said, found.get(at, ()))
            for at, (query, said) in enumerate(zip(shown, told, strict=True))
        ]
        return answers if self._localiser is None else self._located(shown, answers)

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

    def _retrieved(self, queries: Sequence[Query]) -> dict[int, tuple[str, ...]]:
        """The retriever's ranking for each turn that seeks a video."""
        sought = [at for at, query in enumerate(queries) if is_sought(query)]
        asked = [replace(queries[at], task="video", video_id=None) for at in sought]
        answers = self._retriever.baseline.answer(asked)
        return {
            at: answer.videos or answer.choice or ()
            for at, answer in zip(sought, answers, strict=True)
        }

    def _told(self, queries: Sequence[Query]) -> list[Answer]:
        """What the assistant says of each turn, as far as it is asked."""
        if self._assistant is None:
            return [_first_candidate(query) for query in queries]
        asked = {at: self._for_assistant(query) for at, query in enumerate(queries)}
        put = {at: query for at, query in asked.items() if query is not None}
        said = dict(zip(put, self._assistant.baseline.answer(list(put.values())), strict=True))
        return [said.get(at, Answer()) for at in range(len(queries))]

    def _for_assistant(self, query: Query) -> Query | None:
        """What it is asked of a turn: of a moment that a localiser will find, the choice alone."""
        if self._localiser is None or query.task != "moment":
            return query
        return replace(query, task="video") if query.candidates else None

    def _one(self, query: Query, said: Answer, ranking: tuple[str, ...]) -> Answer:
        """The answer to a query; a moment that a localiser has still to find is left open."""
        if query.task != "video":
            return said
        order = tuple(dict.fromkeys([*(said.videos or ()), *ranking]))
        return replace(said, videos=order, choice=None)

    def _located(self, queries: Sequence[Query], told: list[Answer]) -> list[Answer]:
        """`told` with the localiser's moments in the videos chosen, and what is said of them."""
        assert self._localiser is not None  # noqa: S101 - asked for by `answer`
        turns = [at for at, query in enumerate(queries) if query.task == "moment"]
        looked = [replace(queries[at], video_id=_looked_into(queries[at], told[at]), candidates=())
                  for at in turns]  # fmt: skip
        found = dict(zip(turns, self._localiser.baseline.answer(looked), strict=True))
        seen = {at: answer.moments[0] for at, answer in found.items() if answer.moments}
        why = dict(zip(seen, self._explained([(queries[at], m) for at, m in seen.items()]),
                       strict=True))  # fmt: skip
        located = list(told)
        for at in turns:
            said = why.get(at, Answer(response=""))
            located[at] = Answer(
                moments=found[at].moments or (),
                response=said.response,
                usage=add_usage(told[at].usage, said.usage),
            )
        return located

    def _explained(self, told: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        if self._assistant is not None:
            return self._assistant.baseline.explain(told)
        return [_plainly(query, moment) for query, moment in told]


def _stage(text: str, setting: str, candidates: Any) -> Member | None:
    return None if text == NONE else one_member(text, setting, candidates)


def _first_candidate(query: Query) -> Answer:
    """What is said without an assistant: the retriever's best is the one."""
    if not query.candidates:
        return Answer(response="")
    return Answer(
        videos=query.candidates, response=worded(query.language, "chosen", number=1)
    )  # fmt: skip


def _looked_into(query: Query, said: Answer) -> str | None:
    """The video in which a moment is sought: the one chosen, else the retriever's best."""
    if not query.candidates:
        return video_in_focus(query)
    return next(iter(said.videos or query.candidates))


def _plainly(query: Query, moment: Moment) -> Answer:
    start, end = (seconds(at, query.language) for at in (moment.start, moment.end))
    return Answer(response=worded(query.language, "grounded", start=start, end=end))
