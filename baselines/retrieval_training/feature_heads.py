"""Trains a head over a set of features and a text network, and loads both again.

The trained folder holds head and encoders, and names the encoder of the features; features
themselves are not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from baselines.base import LabelledSplit, Provenance, View
from baselines.features.feature_sets import FeatureSet, open_features
from baselines.retrieval_training.contrastive import pairs_with_videos, training_pairs
from baselines.retrieval_training.feature_encoders import WIDTH, FeatureEncoders
from baselines.retrieval_training.head_settings import FeatureSettings, recorded_settings
from baselines.retrieval_training.loaded_heads import LoadedHead, TrainingData
from baselines.retrieval_training.text_reader import new_reader, trained_reader
from baselines.training.checkpoints import Checkpoint
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.records import Annotations

SCALE = 1 / 0.07  # of cosines, at the beginning: CLIP's own
ENCODERS = "encoders."  # heads the names of their weights in a trained folder


def feature_training_data(
    chosen: FeatureSettings, labels: LabelledSplit, view: View, *, moments: bool,
    kind: type[FeatureEncoders] = FeatureEncoders,
) -> TrainingData:  # fmt: skip
    """The encoders with new weights, and the pairs of both splits whose videos have features.

    moments: whether moment turns are pairs too. kind: of the encoders. Raises what `open_features`
    and `new_reader` raise, MissingInputError if no pair's video has features.
    """
    train = training_pairs(labels, chosen.context, moments=moments)
    val = training_pairs(view.validation, chosen.context) if view.validation else []
    named = dict.fromkeys(pair.video_id for pair in (*train, *val))
    named |= dict.fromkeys(video_id for pair in train for video_id in (*pair.rivals, pair.foil)
                           if video_id is not None)  # fmt: skip
    features = open_features(chosen.features, named, view.folder, view.note)
    texts = dict.fromkeys(text for pair in train for text, _ in pair.readings)
    reader = new_reader(chosen.text, chosen.text_revision, texts, view.note)
    encoders = kind(reader, features, features.width, chosen.most)
    facts = {
        "benchmark": f"{Benchmark(view.folder).header.name} train",
        "features": encoders_of(features),
        "text": reader.facts,
    }
    val = [pair for pair in val if pair.video_id in features]
    return TrainingData(
        WIDTH, encoders, pairs_with_videos(train, features), val, facts, SCALE, None
    )


def trained_weights(head: nn.Module, encoders: nn.Module) -> dict[str, Any]:
    """The weights of both by name, as `load_feature_head` reads them."""
    inner = {ENCODERS + name: weight for name, weight in encoders.state_dict().items()}
    return head.state_dict() | inner


def load_feature_head(
    folder: Path, chosen: FeatureSettings, trained: Checkpoint, view: View, control: str = "none",
    kind: type[FeatureEncoders] = FeatureEncoders,
) -> LoadedHead:  # fmt: skip
    """Encoders and head of a trained folder, and the features of the corpus.

    control: `videos_permuted` or `frames_shuffled`, see FeatureSet. kind: of the encoders. Raises
    WrongUsageError if the features are made by another encoder, and what `open_features` raises.
    """
    features = open_features(chosen.features, view.corpus, view.folder, view.note)
    found = encoders_of(features)
    if found != trained.facts["features"]:
        raise WrongUsageError(
            f"{folder}: was trained on features of {_listed(trained.facts['features'])}, but "
            f"{', '.join(chosen.features)} holds those of {_listed(found)}; name the "
            "former with --set features=..."
        )
    if control == "videos_permuted":
        features = features.permuted(view.seed)
    if control == "frames_shuffled":
        features = features.shuffled(view.seed)
    reader = trained_reader(trained.facts["text"], chosen.text, chosen.text_revision, view.note)
    encoders = kind(reader, features, features.width, chosen.most).eval()
    inside = {name: of for name, of in trained.weights.items() if name.startswith(ENCODERS)}
    encoders.load_state_dict({name.removeprefix(ENCODERS): of for name, of in inside.items()})
    outside = {name: of for name, of in trained.weights.items() if name not in inside}
    own = sum(weight.numel() for weight in trained.weights.values())
    provenance = Provenance(
        parameters=own + reader.parameters,
        frames_per_video=chosen.most,
        training_data=(trained.facts["benchmark"],),
        annotations=_annotations(found),
        details={
            "checkpoint": trained.sha256,
            "features": features.details,
            "settings": recorded_settings(chosen),
            "text": reader.facts.get("checkpoint", "own words"),
        },
    )
    readable = [video_id for video_id in view.corpus if video_id in features]
    return LoadedHead(
        chosen, outside, WIDTH, encoders.embed, encoders.frames, encoders.device, readable,
        provenance,
    )  # fmt: skip


def encoders_of(features: FeatureSet) -> list[dict[str, Any]]:
    """What made the features, folder by folder: the encoder if known, and the width."""
    return [
        {"encoder": part.get("encoder"), "width": part["width"]}
        for part in features.details["folders"]
    ]


def _annotations(encoders: Sequence[dict[str, Any]]) -> Annotations:
    """What the weights learned from: a frame network of ours has learned from gold spans."""
    ours = any("frame network" in (part["encoder"] or "") for part in encoders)
    return "gold spans" if ours else "gold videos"


def _listed(parts: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{part['encoder'] or 'unknown'} ({part['width']})" for part in parts)
