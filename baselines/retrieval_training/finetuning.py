"""Trains a head on a checkpoint of the CLIP kind, alone or with the checkpoint, and loads it.

`tune=head`: the checkpoint does not change, its frame embeddings come from the cache, and the
trained folder holds the head and names the checkpoint by its key. `tune=all`: all weights are
trained on pixels, and `clip/` in the trained folder holds the checkpoint, in its own format.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from baselines.base import Provenance, Settings, TrainerConfig, View
from baselines.dialogue_context import Context
from baselines.encoders.image_text import ClipModel, load_clip, save_clip
from baselines.ranking import Corpus
from baselines.retrieval_training.contrastive import (
    ContrastiveModule,
    LearningRates,
    TextVideoPair,
    pairs_with_videos,
    train_module,
    training_pairs,
)
from baselines.retrieval_training.encoder_pairs import CachedEncoder, EncoderPair, TrainableEncoder
from baselines.settings import changed_settings
from baselines.training import checkpoints
from baselines.training.processes import is_main_process
from baselines.video.features import PIXELS, Features, extract_features
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.records import CandidateUse

Tune = Literal["head", "all"]
CLIP_FOLDER = "clip"
# The settings that the weights depend on; another value needs other weights.
FIXED = ("tune", "similarity", "most")
PLACES = ("checkpoint", "clip")  # folders of this machine; their hashes are recorded instead


class FinetuningSettings(Settings, frozen=True):
    """The settings of a baseline with a head: which weights, what to read, what to train.

    When a trained folder is run, the settings that are not given are those of the training.
    checkpoint: the trained folder to run. clip: the checkpoint of the CLIP kind to train on, a
    folder or a name that `hf download` has fetched. revision: the commit of a name. context: the
    utterances to search with: the last one, all, or all with earlier ones counting less.
    candidates: whether the turn's candidates are ranked too, as `choice`. tune: what is trained,
    the head alone or the encoders too. rate: frames a second. most: the most frames of a video.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "clip")

    checkpoint: str = ""
    clip: str = "google/siglip2-base-patch16-224"
    revision: str | None = None
    context: Context = "last"
    candidates: CandidateUse = "unused"
    tune: Tune = "head"
    rate: float = 1.0
    most: int = 12


S = TypeVar("S", bound=FinetuningSettings)


class LoadedHead(NamedTuple):
    """A trained folder, ready to answer.

    head: weights by name. readable: ids of the corpus' videos that can be read, in order.
    """

    settings: Any
    clip: ClipModel
    head: dict[str, Tensor]
    features: Features
    readable: list[str]
    provenance: Provenance


def load_head(
    name: str, given: S, names: Collection[str], corpus: Corpus, view: View
) -> LoadedHead:
    """Load the folder `given.checkpoint` and embed the corpus' frames.

    names: the settings that were given, even if they are the defaults.

    Raises WrongUsageError if no folder is named or the settings contradict it, EnvironmentFailure
    if it is absent or damaged, MissingInputError if no video can be read.
    """
    folder = checkpoints.checkpoint_folder(given.checkpoint, name)
    trained = checkpoints.load(folder, baseline=name)
    chosen = _merge_settings(given, names, trained.settings)
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
            "settings": {
                name: of for name, of in changed_settings(chosen).items() if name not in PLACES
            },
            "decoder": features.decoder,
            "skipped": features.skipped,
        },
    )
    readable = corpus.readable(features)
    return LoadedHead(chosen, clip, trained.weights, features, readable, provenance)


class FinetuningData(NamedTuple):
    """The checkpoint, its encoders for training, and the pairs of both splits."""

    clip: ClipModel
    encoders: EncoderPair
    train: list[TextVideoPair]
    val: list[TextVideoPair]


def finetuning_data(
    chosen: FinetuningSettings, view: View, config: TrainerConfig
) -> FinetuningData:
    """Load the checkpoint and read the pairs' videos; seeds torch, before the head's weights.

    Raises WrongUsageError if there is no train split with labels, MissingInputError if none of its
    videos can be read.
    """
    if view.training is None:
        raise WrongUsageError(
            f"{view.folder}: expected a train split with labels to train on, found none; name a "
            "benchmark that has one"
        )
    clip = load_clip(chosen.clip, chosen.revision, view.note)
    train = training_pairs(view.training, chosen.context)
    val = training_pairs(view.validation, chosen.context) if view.validation else []
    videos = list(dict.fromkeys(pair.video_id for pair in (*train, *val)))
    features = _extract(clip, chosen, videos, view, pixels=chosen.tune == "all")
    encoders: EncoderPair
    if chosen.tune == "all":
        encoders = TrainableEncoder(clip, features, chosen.most)
    else:
        encoders = CachedEncoder(clip, features, chosen.most)
    val = [pair for pair in val if pair.video_id in features]
    torch.manual_seed(config.seed)
    return FinetuningData(clip, encoders, pairs_with_videos(train, features), val)


def train_head(
    name: str, chosen: FinetuningSettings, head: nn.Module, data: FinetuningData, view: View,
    config: TrainerConfig,
    *, rates: LearningRates, epochs: float,
) -> None:  # fmt: skip
    """Train `head` (with `tune=all` the checkpoint too) and write the folder `config.out`."""
    scale = float(data.clip.network.logit_scale.detach().exp())
    module = ContrastiveModule(
        head, data.encoders, data.train, data.val, rates=rates, scale=min(scale, 100.0)
    )
    steps = train_module(module, view, config, epochs=epochs)
    if chosen.tune == "all" and is_main_process():
        save_clip(data.clip, chosen.clip, chosen.revision, config.out / CLIP_FOLDER)
    facts = {
        "benchmark": f"{Benchmark(view.folder).header.name} train",
        "clip": data.clip.key,
        "pairs": len(data.train),
        "seed": config.seed,
        "source": Path(chosen.clip).name,
        "steps": steps,
    }
    weights = head.state_dict()
    checkpoints.save(config.out, baseline=name, settings=chosen, weights=weights, facts=facts)


def _merge_settings(given: S, names: Collection[str], trained: dict[str, Any]) -> S:
    """The settings of the training, overridden by the given ones.

    Raises WrongUsageError if a given setting needs other weights.
    """
    instead = {name: getattr(given, name) for name in names}
    for key in FIXED:
        if key in instead and instead[key] != trained.get(key):
            raise WrongUsageError(
                f"--set {key}={instead[key]}: {given.checkpoint} was trained with "
                f"{key}={trained.get(key)}; leave it out, or train again"
            )
    if "clip" in instead:  # the revision belongs to the name
        instead["revision"] = given.revision
    merged = trained | instead | {"candidates": given.candidates}
    return msgspec.convert(merged, type(given))


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
