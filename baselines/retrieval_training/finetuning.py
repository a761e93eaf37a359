"""What baselines share that train a head on a checkpoint of the CLIP kind, or both.

`tune=head`: the checkpoint stays as it is, its frame embeddings come from the cache, and the
trained folder holds the head and names the checkpoint by its key. `tune=all`: all weights are
trained on pixels, and the trained folder holds the checkpoint too, in the true format, in `clip/`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from baselines.base import Provenance, Settings, TrainerConfig, View
from baselines.dialogue_context import Context
from baselines.encoders.image_text import ClipModel, load_clip, save_clip
from baselines.ranking import Corpus
from baselines.registry import changed_settings
from baselines.retrieval_training.contrastive import Contrast, Pair, Rates, pairs, readable, train
from baselines.retrieval_training.encoder_pairs import Frozen, Towers, Tuned
from baselines.training import checkpoints
from baselines.training.processes import leads
from baselines.video.features import PIXELS, Features, extract
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.records import CandidateUse

Tune = Literal["head", "all"]
CLIP_FOLDER = "clip"
# What a checkpoint's weights were made for; another value of a setting needs other weights.
FIXED = ("tune", "similarity", "most")
PLACES = ("checkpoint", "clip")  # folders of this machine, which the hashes stand for


class TunedSettings(Settings, frozen=True):
    """The settings of a baseline with a head: which weights, what to read, what to train.

    checkpoint: the trained folder, to run with. clip and revision: the checkpoint of the CLIP kind
    to train on: a folder, or a name that `hf download` has fetched. Settings that are not given
    when a trained folder is run are those that it was trained with.
    """

    checkpoint: str = ""
    clip: str = "google/siglip2-base-patch16-224"
    revision: str | None = None
    context: Context = "last"
    candidates: CandidateUse = "unused"
    tune: Tune = "head"
    rate: float = 1.0
    most: int = 12


S = TypeVar("S", bound=TunedSettings)


class Opened(NamedTuple):
    """A trained folder, ready to answer. seen: the corpus' videos that can be read, in order."""

    settings: Any
    clip: ClipModel
    head: dict[str, Tensor]
    features: Features
    seen: list[str]
    provenance: Provenance


def open_trained(name: str, given: S, names: Collection[str], corpus: Corpus, view: View) -> Opened:
    """Load the folder `given.checkpoint` and embed the corpus' frames.

    names: the settings that were given, whether or not they are the defaults.

    Raises WrongUsageError if none is named or the settings contradict it, EnvironmentFailure if it
    is absent or damaged, MissingInputError if no video can be read.
    """
    folder = checkpoints.named(given.checkpoint, name)
    kept = checkpoints.load(folder, baseline=name)
    chosen = _together(given, names, kept.settings)
    clip = _clip_of(folder, chosen, kept.facts, view)
    features = _extracted(clip, chosen, view.corpus, view)
    provenance = Provenance(
        parameters=clip.parameters + sum(weight.numel() for weight in kept.weights.values()),
        frames_per_video=chosen.most,
        training_data=(f"pre-training of {kept.facts['source']}", kept.facts["benchmark"]),
        details={
            "checkpoint": kept.sha256,
            "clip": clip.key,
            "settings": {
                name: of for name, of in changed_settings(chosen).items() if name not in PLACES
            },
            "decoder": features.decoder,
            "skipped": features.skipped,
        },
    )
    return Opened(chosen, clip, kept.weights, features, corpus.seen(features), provenance)


class Trainee(NamedTuple):
    """What is trained: the checkpoint, how it embeds, the pairs of both splits."""

    clip: ClipModel
    towers: Towers
    train: list[Pair]
    val: list[Pair]


def trainee(chosen: TunedSettings, view: View, config: TrainerConfig) -> Trainee:
    """Load the checkpoint and read the pairs' videos. Seeds torch: weights are drawn after this."""
    if view.training is None:
        raise WrongUsageError("expected a train split with labels to train on")
    clip = load_clip(chosen.clip, chosen.revision, view.note)
    found = pairs(view.training, chosen.context)
    later = pairs(view.validation, chosen.context) if view.validation else []
    wanted = list(dict.fromkeys(pair.video_id for pair in (*found, *later)))
    features = _extracted(clip, chosen, wanted, view, pixels=chosen.tune == "all")
    towers: Towers
    if chosen.tune == "all":
        towers = Tuned(clip, features, chosen.most)
    else:
        towers = Frozen(clip, features, chosen.most)
    val = [pair for pair in later if pair.video_id in features]
    torch.manual_seed(config.seed)
    return Trainee(clip, towers, readable(found, features), val)


def train_head(
    name: str, chosen: TunedSettings, head: nn.Module, learner: Trainee, view: View,
    config: TrainerConfig,
    *, rates: Rates, epochs: float,
) -> None:  # fmt: skip
    """Train `head` (and the checkpoint, as `tune` says) and write the folder `config.out`."""
    scale = float(learner.clip.network.logit_scale.detach().exp())
    module = Contrast(
        head, learner.towers, learner.train, learner.val, rates=rates, scale=min(scale, 100.0)
    )
    steps = train(module, view, config, epochs=epochs)
    if chosen.tune == "all" and leads():
        save_clip(learner.clip, chosen.clip, chosen.revision, config.out / CLIP_FOLDER)
    facts = {
        "benchmark": f"{Benchmark(view.folder).header.name} train",
        "clip": learner.clip.key,
        "pairs": len(learner.train),
        "seed": config.seed,
        "source": Path(chosen.clip).name,
        "steps": steps,
    }
    weights = head.state_dict()
    checkpoints.save(config.out, baseline=name, settings=chosen, weights=weights, facts=facts)


def _together(given: S, names: Collection[str], trained: dict[str, Any]) -> S:
    """The settings as trained, those that are given instead put in; a contradiction is refused."""
    instead = {name: getattr(given, name) for name in names}
    for key in FIXED:
        if key in instead and instead[key] != trained.get(key):
            raise WrongUsageError(
                f"--set {key}={instead[key]}: {given.checkpoint} was trained with "
                f"{key}={trained.get(key)}; leave it out, or train again"
            )
    if "clip" in instead:  # the revision belongs to the name
        instead["revision"] = given.revision
    both = trained | instead | {"candidates": given.candidates}
    return msgspec.convert(both, type(given))


def _clip_of(folder: Path, chosen: TunedSettings, facts: dict[str, Any], view: View) -> ClipModel:
    if chosen.tune == "all":
        return load_clip(str(folder / CLIP_FOLDER), None, view.note)
    clip = load_clip(chosen.clip, chosen.revision, view.note)
    if clip.key != facts["clip"]:
        raise WrongUsageError(
            f"{folder}: was trained on {facts['clip']}, but {chosen.clip} is {clip.key}; name the "
            "former with --set clip=..."
        )
    return clip


def _extracted(
    clip: ClipModel, chosen: TunedSettings, wanted: Sequence[str], view: View, *,
    pixels: bool = False,
) -> Features:  # fmt: skip
    return extract(
        [view.videos[video_id] for video_id in wanted],
        view.folder,
        clip.sampler(chosen.rate, chosen.most),
        PIXELS if pixels else clip.encoder,
        cache=view.cache,
        note=view.note,
    )
