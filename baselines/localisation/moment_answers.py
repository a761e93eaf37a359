"""A localiser that was trained on gold spans: loads its folder and answers moment turns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from baselines.base import Provenance, Query, View
from baselines.dialogue_context import video_in_focus
from baselines.event_models.controls import FRAMES_SHUFFLED, check_control, permute
from baselines.localisation.heads import to_spans
from baselines.localisation.localiser_settings import LocaliserSettings
from baselines.localisation.moment_data import Encode
from baselines.localisation.moment_inputs import (
    InputFacts,
    QueryTokens,
    check_text,
    open_same_features,
    text_reader,
)
from baselines.localisation.proposals import ScoredSpans
from baselines.localisation.span_localiser import SpanLocaliser
from baselines.localisation.video_steps import TimedRows, encode_frames, mean_steps, video_end
from baselines.networks.frame_network import RATE, FrameNetworkEncoder
from baselines.networks.text_network import collate_tokens
from baselines.ranking import Corpus
from baselines.training.checkpoints import Checkpoint

CACHED_VIDEOS = 1024
PLACES = ("checkpoint", "features", "text", "recogniser")  # they name folders of one machine


class _Videos(NamedTuple):
    """Rows of the corpus' videos, and what run.json says of them."""

    rows: TimedRows
    details: dict[str, Any]
    read: str | None
    training_data: tuple[str, ...]


class SpanAnswers:
    """A trained folder, ready to answer; provenance: of the folder and of what it reads."""

    def __init__(
        self,
        localiser: SpanLocaliser,
        encode: Encode,
        rows: TimedRows,
        sources: Mapping[str, str],
        ends: Mapping[str, int],
        provenance: Provenance,
    ) -> None:
        """sources: by video id the video whose rows it has. ends: by video id its end in ms."""
        self._localiser, self._encode, self._rows = localiser, encode, rows
        self._sources, self._ends, self.provenance = sources, ends, provenance
        self._steps = lru_cache(CACHED_VIDEOS)(self._steps_of)

    @torch.inference_mode()
    def scored_spans(self, query: Query) -> ScoredSpans | None:
        """The spans of a moment turn's video, None if it is not known or cannot be read."""
        video_id = video_in_focus(query)
        if query.task != "moment" or video_id is None or video_id not in self._sources:
            return None
        text = collate_tokens([self._encode(query.utterance)])
        fractions, scores = self._localiser.spans(self._steps(self._sources[video_id]), text)
        spans = to_spans(fractions[0].numpy(), self._ends[video_id])
        return ScoredSpans(video_id, spans, scores[0].numpy().astype(np.float64))

    def _steps_of(self, video_id: str) -> Tensor:
        """A video as steps: (1, STEPS, width)."""
        return torch.from_numpy(mean_steps(self._rows, video_id))[None]


def load_span_answers(
    stored: Checkpoint, settings: LocaliserSettings, head: type[nn.Module], view: View
) -> SpanAnswers:
    """Make a stored folder ready; settings: those of the training, overridden by the given ones.

    Raises WrongUsageError if features, text encoder or control are not those of the training,
    MissingInputError if no video can be read.
    """
    check_control(settings.control, stored.settings["control"])
    facts = msgspec.convert(stored.facts["inputs"], InputFacts)
    text = text_reader(settings, facts.pieces, view)
    check_text(settings, facts, text)
    localiser = SpanLocaliser(facts.inputs, head()).eval()
    localiser.load_state_dict(stored.weights)
    videos = _videos(localiser, settings, facts, view)
    readable = Corpus(view).readable(videos.rows)  # type: ignore[arg-type]
    sources = {video_id: video_id for video_id in readable}
    if settings.control == "videos_permuted":
        sources = permute(sources, np.random.default_rng(view.seed))
    ends = {video_id: _end(view, video_id, videos.rows) for video_id in readable}
    provenance = _provenance(stored, facts, text, videos)
    return SpanAnswers(localiser, text.encode, videos.rows, sources, ends, provenance)


def _videos(
    localiser: SpanLocaliser, settings: LocaliserSettings, facts: InputFacts, view: View
) -> _Videos:
    shuffled = settings.control == FRAMES_SHUFFLED
    if localiser.frames is None:
        features = open_same_features(settings, facts, view.corpus, view)
        details = {"features": features.details}
        names = tuple(f"features {folder['name']}" for folder in details["features"]["folders"])
        rows = features.shuffled(view.seed) if shuffled else features
        return _Videos(rows, details, None, names)
    encoder = FrameNetworkEncoder(localiser.frames, shuffled=shuffled)
    own = encode_frames(view, view.corpus, encoder)
    details = {"decoder": own.decoder, "skipped": own.skipped}
    return _Videos(own, details, f"{RATE} per second", ())


def _end(view: View, video_id: str, rows: TimedRows) -> int:
    """The end of a video in ms: as declared, but not after the last row."""
    last = video_end(rows.times[video_id])
    return max(1, min(view.videos[video_id].duration or last, last))


def _provenance(
    stored: Checkpoint, facts: InputFacts, text: QueryTokens, videos: _Videos
) -> Provenance:
    settings = {name: of for name, of in stored.settings.items() if name not in PLACES}
    return Provenance(
        parameters=sum(weight.numel() for weight in stored.weights.values()) + text.parameters,
        frames_per_video=videos.read,
        training_data=(
            stored.facts["benchmark"],
            *videos.training_data,
            *((f"text encoder {facts.text}",) if facts.text else ()),
        ),
        annotations="gold spans",
        details={
            "checkpoint": stored.sha256,
            "trained": {"settings": settings, "seed": stored.facts["seed"]},
            **({"text": facts.text} if facts.text else {}),
            **videos.details,
        },
    )
