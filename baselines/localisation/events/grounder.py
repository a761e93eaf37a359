"""A localiser trained on annotated events (IVCR-Mini): loads its folder, answers moment turns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from baselines.base import Provenance, Query, View
from baselines.dialogue_context import video_in_focus
from baselines.event_models.controls import permute
from baselines.event_models.event_annotations import value_count
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import collate_texts, tokenize_turns
from baselines.event_models.recogniser_checkpoints import load_checkpoint
from baselines.localisation.events.cross_modal_encoder import Grounder
from baselines.localisation.events.step_features import VideoFeatures, collate_steps, video_features
from baselines.localisation.heads import to_spans
from baselines.localisation.localiser_settings import LocaliserSettings
from baselines.localisation.proposals import ScoredSpans
from baselines.ranking import Corpus
from baselines.video.features import Features


class LoadedGrounder(NamedTuple):
    """A trained folder, ready to answer; videos: by id; ends: by video id its end in ms."""

    grounder: Grounder
    lexicon: Lexicon
    videos: dict[str, VideoFeatures]
    ends: dict[str, int]
    provenance: Provenance


@torch.inference_mode()
def load_grounder(
    name: str, settings: LocaliserSettings, head: type[nn.Module], view: View
) -> LoadedGrounder:
    """Load the folder `settings.checkpoint` and encode the corpus' videos.

    Raises WrongUsageError if no folder is named, EnvironmentFailure if it is absent or damaged,
    MissingInputError if no video can be read.
    """
    trained = load_checkpoint(name, settings, view)
    attributes, features = trained.recogniser.attributes, trained.features
    grounder = Grounder(trained.lexicon.size, value_count(attributes), head()).eval()
    grounder.load_state_dict(trained.weights)
    readable = Corpus(view).readable(features)
    videos = video_features(features, features.times, attributes)
    if settings.control == "videos_permuted":
        generator = np.random.default_rng(view.seed)
        videos = permute({video_id: videos[video_id] for video_id in readable}, generator)
    ends = {video_id: _end(view, video_id, features) for video_id in readable}
    return LoadedGrounder(grounder, trained.lexicon, videos, ends, trained.provenance)


@torch.inference_mode()
def score_spans(query: Query, loaded: LoadedGrounder) -> ScoredSpans | None:
    """The spans of a moment turn's video, None if it is not known or cannot be read."""
    video_id = video_in_focus(query)
    if query.task != "moment" or video_id is None or video_id not in loaded.videos:
        return None
    text = tokenize_turns(loaded.lexicon, [(query.utterance, query.language, 0)])
    steps = collate_steps([loaded.videos[video_id].steps])
    fractions, scores = loaded.grounder.spans(collate_texts([text]), steps)
    spans = to_spans(fractions[0].numpy(), loaded.ends[video_id])
    return ScoredSpans(video_id, spans, scores[0].numpy().astype(np.float64))


def _end(view: View, video_id: str, features: Features) -> int:
    """The end of a video in ms: as declared, but not after the last frame that was read."""
    times = features.times[video_id]
    last = int(times[-1] + times[0])
    return max(1, min(view.videos[video_id].duration or last, last))
