"""A localiser with either reader: trains it, and makes a trained folder ready to answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from torch import nn

from baselines.base import Answer, Provenance, Query, TrainerConfig, View
from baselines.localisation.events.grounder import load_grounder, score_spans
from baselines.localisation.events.grounding_training import GroundingSchedule, train_on_events
from baselines.localisation.localiser_settings import (
    LocaliserSettings,
    check_reader,
    merge_settings,
)
from baselines.localisation.moment_answers import load_span_answers
from baselines.localisation.moment_training import MomentSchedule, train_on_spans
from baselines.localisation.proposals import ScoredSpans, best_moments
from baselines.training import checkpoints


class LocaliserSchedules(NamedTuple):
    """How long a head is trained with each reader."""

    frames: MomentSchedule
    events: GroundingSchedule


class LoadedLocaliser(NamedTuple):
    """A trained folder, ready to answer one query after the other."""

    scored_spans: Callable[[Query], ScoredSpans | None]
    provenance: Provenance

    def answer(self, query: Query) -> Answer:
        """Up to ten moments, best first, in a moment turn whose video is known and can be read."""
        return best_moments(self.scored_spans(query))


def train_localiser(
    name: str, settings: LocaliserSettings, head: type[nn.Module], view: View,
    config: TrainerConfig, schedules: LocaliserSchedules,
) -> None:  # fmt: skip
    """Train a localiser with that head and the reader of the settings; write `config.out`.

    Raises WrongUsageError at settings that contradict each other, MissingInputError if the
    benchmark lacks what the reader is trained on.
    """
    check_reader(settings)
    if settings.reader == "events":
        train_on_events(name, settings, head, view, config, schedules.events)
    else:
        train_on_spans(name, settings, head, view, config, schedules.frames)


def load_localiser(
    name: str, settings: LocaliserSettings, given: Collection[str], head: type[nn.Module],
    view: View,
) -> LoadedLocaliser:  # fmt: skip
    """Load the folder `settings.checkpoint`, whose reader is the one that it was trained with.

    given: the names of the settings that were given. Raises WrongUsageError if no folder is named
    or the settings contradict it, EnvironmentFailure if it is absent or damaged, MissingInputError
    if no video can be read.
    """
    folder = checkpoints.checkpoint_folder(settings.checkpoint, name)
    stored = checkpoints.load(folder, baseline=name)
    chosen = merge_settings(settings, given, stored.settings)
    if chosen.reader == "events":
        loaded = load_grounder(name, settings, head, view)
        return LoadedLocaliser(partial(score_spans, loaded=loaded), loaded.provenance)
    answers = load_span_answers(stored, chosen, head, view)
    return LoadedLocaliser(answers.scored_spans, answers.provenance)
