"""A trained localiser: its folder, and its answers."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from baselines.base import Answer, Provenance, Query, Settings, View
from baselines.dialogue_context import video_in_focus
from baselines.event_models.event_annotations import size
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import (
    batch,
    text,
)
from baselines.event_models.recogniser_checkpoints import opened
from baselines.event_models.recogniser_training import Size
from baselines.localisation.cross_modal_encoder import (
    Grounder,
)
from baselines.localisation.proposals import Spans, nms
from baselines.localisation.step_features import (
    Footage,
    footage,
    together,
)
from baselines.ranking import Corpus
from baselines.video.features import Features
from harness.records import Moment

MOMENTS = 10


Control = Literal["none", "videos_permuted", "frames_shuffled", "labels_permuted"]


class GroundingSettings(Settings, frozen=True):
    """Which weights, how much to train, and the controls.

    checkpoint: the trained folder, to run with. recogniser: a trained folder whose recogniser is
    taken instead of training one. control: what is broken on purpose, to see what a figure rests
    on; labels_permuted in training and when it runs, the others when it runs.
    """

    checkpoint: str = ""
    size: Size = "full"
    recogniser: str = ""
    control: Control = "none"


class Opened(NamedTuple):
    """A trained folder, ready to answer; ends: by video id where it ends, in ms."""

    grounder: Grounder
    lexicon: Lexicon
    films: dict[str, Footage]
    ends: dict[str, int]
    provenance: Provenance


@torch.inference_mode()
def open_trained(name: str, chosen: GroundingSettings, make: type[nn.Module], view: View) -> Opened:
    """Load the folder `chosen.checkpoint` and watch the corpus' videos; `make` makes the head.

    Raises WrongUsageError if no folder is named, EnvironmentFailure if it is absent or damaged,
    MissingInputError if no video can be read.
    """
    kept = opened(name, chosen, view)
    attributes, features = kept.eyes.attributes, kept.features
    grounder = Grounder(kept.lexicon.size, size(attributes), make()).eval()
    grounder.load_state_dict(kept.weights)
    seen = Corpus(view).readable(features)
    films = footage(features, features.times, attributes)
    if chosen.control == "videos_permuted":
        order = np.random.default_rng(view.seed).permutation(len(seen))
        films = {one: films[seen[at]] for one, at in zip(seen, order, strict=True)}
    ends = {video_id: _end(view, video_id, features) for video_id in seen}
    return Opened(grounder, kept.lexicon, films, ends, kept.provenance)


@torch.inference_mode()
def answer(query: Query, opened: Opened) -> Answer:
    """Up to ten moments, best first, in a moment turn whose video is known and can be read."""
    video_id = video_in_focus(query)
    if query.task != "moment" or video_id is None or video_id not in opened.films:
        return Answer()
    said = text(opened.lexicon, [(query.utterance, query.language, 0)])
    scenes = together([opened.films[video_id].scene])
    fractions, scores = opened.grounder.spans(batch([said]), scenes)
    found = spans(fractions[0].numpy(), opened.ends[video_id])
    kept = nms(found, scores[0].numpy().astype(np.float64), most=MOMENTS)
    return Answer(moments=tuple(Moment(video_id, *map(int, found[at])) for at in kept))


def spans(fractions: NDArray[np.floating[Any]], end: int) -> Spans:
    """Fractions of a video that ends at `end` ms as spans of 1 ms at least: (n, 2)."""
    found = np.rint(np.clip(fractions, 0, 1).astype(np.float64) * end).astype(np.int64)
    start = np.minimum(found.min(axis=1), end - 1)
    return np.stack([start, np.maximum(found.max(axis=1), start + 1)], axis=1)


def _end(view: View, video_id: str, features: Features) -> int:
    """Where the video ends, in ms: as declared, but not past what was seen."""
    times = features.times[video_id]
    seen = int(times[-1] + times[0])
    return max(1, min(view.videos[video_id].duration or seen, seen))
