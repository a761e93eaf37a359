"""Ensemble of localisers: the weighted mean of the scores that they give the same spans.

Several trainings of one localiser err in different places, so their mean errs less:
Lakshminarayanan et al., NeurIPS 2017, https://arxiv.org/abs/1612.01474. A file names the members
(`--config`; without one: sliding_window with context=last and context=decayed):

    [[member]]
    baseline = "tan2d"
    settings = { checkpoint = "tan2d-0" }

    [[member]]
    baseline = "tan2d"
    settings = { checkpoint = "tan2d-1" }

Members must score the same spans, as trainings of `tan2d` do and those of `moment_detr` do not.
Scores are taken as members give them (logits of `tan2d`, cosines of `sliding_window`), times the
member's weight. Reads and ignores what its members do; trains nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from baselines.base import About, Answer, Baseline, MemberConfig, Provenance, Query, View
from baselines.localisation.proposals import ScoredSpans, best_moments
from baselines.running.composition import ComposedSettings, Member, member, merged, prepare
from harness.errors import WrongUsageError
from harness.records import CandidateUse

ABOUT = About(composed=True, languages=("en", "zh"), paper="https://arxiv.org/abs/1612.01474")


class EnsembleSettings(ComposedSettings, frozen=True):
    """The members, and whether candidates are shown to them.

    member: the localisers whose scores are averaged. candidates: whether the members see the turns'
    candidates.
    """

    member: tuple[MemberConfig, ...] = (
        MemberConfig("sliding_window", {"context": "last"}),
        MemberConfig("sliding_window", {"context": "decayed"}),
    )
    candidates: CandidateUse = "unused"


class Ensemble(Baseline):
    """Up to ten moments of one video, best first by the mean score, ties by position."""

    settings_type = EnsembleSettings
    _settings: EnsembleSettings

    def __init__(self, settings: EnsembleSettings) -> None:
        """Make the members. Raises WrongUsageError if one cannot be part of the whole."""
        self._settings = settings
        if not settings.member:
            raise WrongUsageError("ensemble: expected members, found none; add a table [[member]]")
        self._members = [
            _localiser(config, f"member {number}", settings.candidates)
            for number, config in enumerate(settings.member, start=1)
        ]

    def prepare(self, view: View) -> None:
        """Prepare the members; raises what they raise."""
        prepare(self._members, view)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def reads_train_labels(self, declared: bool) -> bool:
        """As a member needs."""
        return any(part.reads_train_labels for part in self._members)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Moments for each moment turn whose video is known and can be read."""
        return [best_moments(self.scored_spans(query)) for query in queries]

    def scored_spans(self, query: Query) -> ScoredSpans | None:
        """The spans of the turn's video with their mean scores, None if a member has none.

        Raises WrongUsageError if members score different spans.
        """
        found: list[ScoredSpans] = []
        for part in self._members:
            scored: ScoredSpans | None = part.baseline.scored_spans(query)
            if scored is None:
                return None
            found.append(scored)
        first = found[0]
        for part, each in zip(self._members, found, strict=True):
            if each.video_id != first.video_id or not np.array_equal(each.spans, first.spans):
                raise WrongUsageError(
                    f"ensemble: {part.entry.name} scores other spans of {first.video_id} than "
                    f"{self._members[0].entry.name}, expected the same; take members of one kind "
                    "that read the same frames"
                )
        weights = [part.weight for part in self._members]
        mean = np.average([each.scores for each in found], axis=0, weights=weights)
        return first._replace(scores=mean)

    def provenance(self) -> Provenance:
        """The members' own."""
        return merged(self._members)


def _localiser(config: MemberConfig, place: str, candidates: CandidateUse) -> Member:
    part = member(config, place, candidates)
    if type(part.baseline).scored_spans is Baseline.scored_spans:
        raise WrongUsageError(
            f"{place}: {part.entry.name} gives no scores of spans; take a localiser, such as tan2d"
        )
    return part
