"""A retriever and a localiser in a row: search from end to end, under `own` history too.

A file names the two (`--config`; without one: bm25 and train_prior, which need no training):

    [retriever]
    baseline = "bm25"

    [localiser]
    baseline = "tan2d"
    settings = { checkpoint = "tan2d.trained" }

The retriever answers video turns. In a moment turn the localiser gets one video: (1) the given one
(reference history); (2) else the latest that the history names, (3) unless there is none, or the
utterance itself describes a video ("in the video where ...", "找一个...的视频"): then the best that
the retriever finds with the utterance. Rule 3 goes by these words alone
(baselines/dialogue_context.py). Reads and ignores what its two members do; trains nothing itself.
https://arxiv.org/abs/1907.12763 has the two stages as the usual first system.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, MemberConfig, Provenance, Query, View
from baselines.dialogue_context import is_sought, video_in_focus
from baselines.running.composition import (
    ComposedSettings,
    check_ranks_videos,
    member,
    merged,
    prepare,
)
from harness.records import CandidateUse

ABOUT = About(composed=True, languages=("en", "zh"), paper="https://arxiv.org/abs/1907.12763")


class PipelineSettings(ComposedSettings, frozen=True):
    """The two members, and whether the candidates are shown to them.

    retriever: what ranks videos. localiser: what finds moments. candidates: whether the members
    see the turns' candidates.
    """

    retriever: MemberConfig = MemberConfig("bm25")
    localiser: MemberConfig = MemberConfig("train_prior")
    candidates: CandidateUse = "unused"


class Pipeline(Baseline):
    """The retriever's videos, the localiser's moments in the video that a turn is about."""

    settings_type = PipelineSettings
    _settings: PipelineSettings

    def __init__(self, settings: PipelineSettings) -> None:
        """Make the members. Raises WrongUsageError if one cannot be part of the whole."""
        self._settings = settings
        self._retriever = member(settings.retriever, "retriever", settings.candidates)
        check_ranks_videos(self._retriever, "retriever")
        self._localiser = member(settings.localiser, "localiser", settings.candidates)

    def prepare(self, view: View) -> None:
        """Prepare both members; raises what they raise."""
        prepare([self._retriever, self._localiser], view)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def reads_train_labels(self, declared: bool) -> bool:
        """As a member needs."""
        return any(part.reads_train_labels for part in (self._retriever, self._localiser))

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Video turns are answered by the retriever, moment turns by the localiser."""
        sought = [at for at, query in enumerate(queries) if is_sought(query)]
        searches = [replace(queries[at], task="video", video_id=None) for at in sought]
        found = dict(zip(sought, self._retriever.baseline.answer(searches), strict=True))
        moments = [at for at, query in enumerate(queries) if query.task == "moment"]
        grounded = [
            replace(
                queries[at],
                video_id=_first(found[at]) if at in found else video_in_focus(queries[at]),
            )
            for at in moments
        ]
        located = dict(zip(moments, self._localiser.baseline.answer(grounded), strict=True))
        return [located.get(at, found.get(at, Answer(response=""))) for at in range(len(queries))]

    def provenance(self) -> Provenance:
        """The members' own."""
        return merged([self._retriever, self._localiser])


def _first(answer: Answer) -> str | None:
    return next(iter(answer.videos or answer.choice or ()), None)
