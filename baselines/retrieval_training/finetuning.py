"""Trains a head on a checkpoint of the CLIP kind, alone or with the checkpoint, and loads it.

`tune=head`: the checkpoint does not change, its frame embeddings come from the cache, and the
trained folder holds the head and names the checkpoint by its key. `tune=all`: all weights are
trained on pixels, and `clip/` in the trained folder holds the checkpoint, in its own format. Where
`features` are set the head stands on them instead (feature_heads.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from baselines.base import LabelledSplit, Provenance, TrainerConfig, View
from baselines.encoders.image_text import ClipModel, load_clip, save_clip
from baselines.ranking import Corpus
from baselines.retrieval_training.contrastive import (
    ContrastiveModule,
    LearningRates,
    pairs_with_videos,
    train_module,
    training_pairs,
)
from baselines.retrieval_training.encoder_pairs import (
    CachedEncoder,
    EncoderPair,
    FrameBatch,
    TrainableEncoder,
    pad_frames,
)
from baselines.retrieval_training.feature_encoders import FeatureEncoders
from baselines.retrieval_training.feature_heads import (
    feature_training_data,
    load_feature_head,
    trained_weights,
)
from baselines.retrieval_training.head_settings import (
    FeatureSettings,
    FinetuningSettings,
    S,
    merge_settings,
    recorded_settings,
)
from baselines.retrieval_training.loaded_heads import LoadedHead, TrainingData
from baselines.training import checkpoints
from baselines.training.checkpoints import Checkpoint
from baselines.training.processes import is_main_process
from baselines.video.features import PIXELS, Features, extract_features
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError

CLIP_FOLDER = "clip"


def _no_words(_: Any) -> type[FeatureEncoders]:
    return FeatureEncoders


def load_head(
    name: str, given: S, names: Collection[str], corpus: Corpus, view: View, control: str = "none",
    kind: Callable[[S], type[FeatureEncoders]] = _no_words,
) -> LoadedHead:  # fmt: skip
    """Load the folder `given.checkpoint` and what it needs of the corpus' frames.

    names: the settings that were given, even if they are the defaults. control: of features. kind:
    of encoders over features, by the settings of the folder.

    Raises WrongUsageError if no folder is named or the settings contradict it, EnvironmentFailure
    if it is absent or damaged, MissingInputError if no video can be read.
    """
    folder = checkpoints.checkpoint_folder(given.checkpoint, name)
    trained = checkpoints.load(folder, baseline=name)
    chosen = merge_settings(given, names, trained.settings)
    if isinstance(chosen, FinetuningSettings) and not chosen.features:
        return _load_clip_head(folder, chosen, trained, corpus, view)
    return load_feature_head(folder, chosen, trained, view, control, kind(chosen))


def training_data(
    chosen: FeatureSettings, view: View, config: TrainerConfig, *, moments: bool = False,
    kind: type[FeatureEncoders] = FeatureEncoders,
) -> TrainingData:  # fmt: skip
    """Load the encoders and read the pairs' videos; seeds torch, before the head's weights.

    moments: whether moment turns are pairs too. kind: of encoders over features.

    Raises WrongUsageError if there is no train split with labels, MissingInputError if none of its
    videos can be read.
    """
    if view.training is None:
        raise WrongUsageError(
            f"{view.folder}: expected a train split with labels to train on, found none; name a "
            "benchmark that has one"
        )
    torch.manual_seed(config.seed)
    if isinstance(chosen, FinetuningSettings) and not chosen.features:
        data = _clip_training_data(chosen, view.training, view)
        torch.manual_seed(config.seed)
        return data
    return feature_training_data(chosen, view.training, view, moments=moments, kind=kind)


def train_head(
    name: str, chosen: FeatureSettings, head: nn.Module, data: TrainingData, view: View,
    config: TrainerConfig,
    *, rates: LearningRates, epochs: float, hard: int = 0,
) -> None:  # fmt: skip
    """Train `head`, and the encoders as far as they are, and write the folder `config.out`."""
    module = ContrastiveModule(
        head, data.encoders, data.train, data.val, rates=rates, scale=data.scale
    )
    steps = train_module(module, view, config, epochs=epochs, hard=hard)
    if data.save is not None and is_main_process():
        data.save(config.out)
    weights = head.state_dict()
    if chosen.features and isinstance(data.encoders, nn.Module):
        weights = trained_weights(head, data.encoders)
    facts = {**data.facts, "pairs": len(data.train), "seed": config.seed, "steps": steps}
    checkpoints.save(config.out, baseline=name, settings=chosen, weights=weights, facts=facts)


def _clip_training_data(
    chosen: FinetuningSettings, labels: LabelledSplit, view: View
) -> TrainingData:
    clip = load_clip(chosen.clip, chosen.revision, view.note)
    train = training_pairs(labels, chosen.context)
    val = training_pairs(view.validation, chosen.context) if view.validation else []
    videos = list(dict.fromkeys(pair.video_id for pair in (*train, *val)))
    features = _extract(clip, chosen, videos, view, pixels=chosen.tune == "all")
    encoders: EncoderPair = CachedEncoder(clip, features, chosen.most)
    save = None
    if chosen.tune == "all":
        encoders = TrainableEncoder(clip, features, chosen.most)
        save = partial(_save_clip, clip, chosen)
    facts = {
        "benchmark": f"{Benchmark(view.folder).header.name} train",
        "clip": clip.key,
        "source": Path(chosen.clip).name,
    }
    val = [pair for pair in val if pair.video_id in features]
    scale = min(float(clip.network.logit_scale.detach().exp()), 100.0)
    pairs = pairs_with_videos(train, features)
    return TrainingData(clip.width, encoders, pairs, val, facts, scale, save)


def _load_clip_head(
    folder: Path, chosen: FinetuningSettings, trained: Checkpoint, corpus: Corpus, view: View
) -> LoadedHead:
    clip = _load_clip_of(folder, chosen, trained.facts, view)
    features = _extract(clip, chosen, view.corpus, view)
    provenance = Provenance(
        parameters=clip.parameters + sum(weight.numel() for weight in trained.weights.values()),
        frames_per_video=chosen.most,
        training_data=(f"pre-training of {trained.facts['source']}", trained.facts["benchmark"]),
        annotations="gold videos",
        details={
            "checkpoint": trained.sha256,
            "clip": clip.key,
            "settings": recorded_settings(chosen),
            "decoder": features.decoder,
            "skipped": features.skipped,
        },
    )

    def frames(video_ids: Sequence[str]) -> FrameBatch:
        batch = pad_frames([features[video_id] for video_id in video_ids], chosen.most)
        return FrameBatch(*(part.to(clip.device) for part in batch))

    return LoadedHead(
        chosen, trained.weights, clip.width, lambda text: clip.texts([text])[0], frames,
        clip.device, corpus.readable(features), provenance,
    )  # fmt: skip


def _save_clip(clip: ClipModel, chosen: FinetuningSettings, out: Path) -> None:
    save_clip(clip, chosen.clip, chosen.revision, out / CLIP_FOLDER)


def _load_clip_of(
    folder: Path, chosen: FinetuningSettings, facts: dict[str, Any], view: View
) -> ClipModel:
    if chosen.tune == "all":
        return load_clip(str(folder / CLIP_FOLDER), None, view.note)
    clip = load_clip(chosen.clip, chosen.revision, view.note)
    if clip.key != facts["clip"]:
        raise WrongUsageError(
            f"{folder}: was trained on {facts['clip']}, but {chosen.clip} is {clip.key}; name the "
            "former with --set clip=..."
        )
    return clip


def _extract(
    clip: ClipModel, chosen: FinetuningSettings, video_ids: Sequence[str], view: View, *,
    pixels: bool = False,
) -> Features:  # fmt: skip
    return extract_features(
        [view.videos[video_id] for video_id in video_ids],
        view.folder,
        clip.sampler(chosen.rate, chosen.most),
        PIXELS if pixels else clip.encoder,
        cache=view.cache,
        note=view.note,
    )
