"""A retriever and a localiser in a row: search from end to end, under `own` history too.

Reads and ignores what its two members do; `retriever` and `localiser` name them with their
settings, as in `tan2d?checkpoint=DIR` (see baselines/running/composition.py). Video turns are
answered by the retriever. In a moment turn the localiser is told one video: (1) the given one
(reference history); (2) else the latest that the history names, (3) unless there is none, or the
utterance itself describes a video ("in the video where ...", "找一个...的视频"): then the best that
the retriever finds with the utterance. Rule 3 goes by these words alone. On IVCR-Mini's train split
it tells the 51 moment turns that leave the video in focus from the 531 that stay at it in all
cases; where people do not say so, as in turns joined together without a word on the video, it
cannot. Trains nothing itself. https://arxiv.org/abs/1907.12763 has the two stages as the usual
first system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.dialogue_context import video_in_focus
from baselines.running.composition import check_ranks_videos, merged, one_member, prepare
from harness.records import CandidateUse

ABOUT = About(languages=("en", "zh"), paper="https://arxiv.org/abs/1907.12763")

DESCRIBES_A_VIDEO = re.compile(
    r"\b(?:an?|any|another|some)\s+(?:[\w-]+\s+){0,2}(?:video|film)\b"
    r"|\b(?:video|film)\s+(?:in which|where|that|which|with|showing|of)\b"
    r"|(?:有|找|一|另)[^，。：]{0,4}(?:一?|到这)[个段部条][^，。：]{0,2}(?:视频|影片|录像)"
    r"|(?:有|找)一?[个段部条][^，。：]*的(?:视频|影片|录像)"
    r"|那[个段部条](?:视频|影片|录像)[里中]"
    r"|，(?:视频|影片|录像)[里中]",
    re.IGNORECASE,
)


class PipelineSettings(Settings, frozen=True):
    """The two members, and whether the candidates are shown to them."""

    retriever: str = "bm25"
    localiser: str = "sliding_window"
    candidates: CandidateUse = "unused"


class Pipeline(Baseline):
    """The retriever's videos, the localiser's moments in the video that a turn is about."""

    settings_type = PipelineSettings
    _settings: PipelineSettings

    def __init__(self, settings: PipelineSettings) -> None:
        """Make the members. Raises WrongUsageError if a setting cannot be read."""
        self._settings = settings
        self._retriever = one_member(settings.retriever, "retriever", settings.candidates)
        check_ranks_videos([self._retriever], "retriever")
        self._localiser = one_member(settings.localiser, "localiser", settings.candidates)

    def prepare(self, view: View) -> None:
        """Prepare both members; raises what they raise."""
        prepare([self._retriever, self._localiser], view)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Video turns are answered by the retriever, moment turns by the localiser."""
        sought = [at for at, query in enumerate(queries) if is_sought(query)]
        asked = [replace(queries[at], task="video", video_id=None) for at in sought]
        found = dict(zip(sought, self._retriever.baseline.answer(asked), strict=True))
        moments = [at for at, query in enumerate(queries) if query.task == "moment"]
        told = [
            replace(
                queries[at],
                video_id=_first(found[at]) if at in found else video_in_focus(queries[at]),
            )
            for at in moments
        ]
        located = dict(zip(moments, self._localiser.baseline.answer(told), strict=True))
        return [located.get(at, found.get(at, Answer(response=""))) for at in range(len(queries))]

    def provenance(self) -> Provenance:
        """The members' own."""
        return merged([self._retriever, self._localiser])


def is_sought(query: Query) -> bool:
    """Whether the retriever is asked: in a video turn, and by rule 3 in a moment turn."""
    if query.task != "moment" or query.video_id is not None:
        return query.task == "video"
    return video_in_focus(query) is None or DESCRIBES_A_VIDEO.search(query.utterance) is not None


def _first(answer: Answer) -> str | None:
    return next(iter(answer.videos or answer.choice or ()), None)
