"""Checkpoint folders of the baselines that have a recogniser: dual_encoder, tan2d, moment_detr.

A folder holds the recogniser's weights beside those of the network that reads its rows, and of
facts the attributes it tells apart, the lexicon, the seed and the validation figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from torch import Tensor, nn

from baselines.base import LabelledSplit, Provenance, TrainerConfig, View
from baselines.event_models import event_annotations
from baselines.event_models.event_annotations import Attribute
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.recogniser import SAMPLER, Eyes, Recogniser, watched
from baselines.training import checkpoints
from baselines.video.features import Features
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError

PREFIX = "recogniser."  # of its weights' names in a checkpoint
HOLDERS = ("dual_encoder", "tan2d", "moment_detr", "interllava")  # whose checkpoints have one
PERMUTED = "labels_permuted"
SHUFFLED = "frames_shuffled"
PLACES = ("checkpoint", "recogniser", "start")  # settings that name folders of one machine


class Chosen(Protocol):
    """The settings that all of these baselines have."""

    @property
    def checkpoint(self) -> str:
        """The trained folder, to run with."""

    @property
    def control(self) -> str:
        """What is broken on purpose."""


class Opened(NamedTuple):
    """A trained folder, and what its recogniser says of the corpus' videos.

    weights: of the network that reads the rows. facts: as `saved` kept them.
    """

    eyes: Recogniser
    weights: dict[str, Tensor]
    lexicon: Lexicon
    facts: dict[str, Any]
    features: Features
    provenance: Provenance


class Begun(NamedTuple):
    """A trained folder that another baseline begins with; sha256 as `checkpoints.load` gives it."""

    eyes: Recogniser
    weights: dict[str, Tensor]
    lexicon: Lexicon
    sha256: str


def labelled(view: View, control: str) -> LabelledSplit:
    """What is trained on. Raises WrongUsageError without labels, or at a control of running."""
    if view.training is None:
        raise WrongUsageError("expected a train split with labels to train on")
    if control not in ("none", PERMUTED):
        raise WrongUsageError(f"control={control} is one of running, not of training")
    return view.training


def saved(
    name: str, chosen: Any, view: View, config: TrainerConfig, eyes: Recogniser, network: nn.Module,
    known: Lexicon, **facts: Any,
) -> None:  # fmt: skip
    """Write the folder `config.out` of the baseline `name`; facts: further ones."""
    weights = {PREFIX + key: weight for key, weight in eyes.state_dict().items()}
    checkpoints.save(
        config.out,
        baseline=name,
        settings=chosen,
        weights=weights | network.state_dict(),
        facts={
            "attributes": msgspec.to_builtins(eyes.attributes),
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "lexicon": msgspec.to_builtins(known),
            "seed": config.seed,
            **facts,
        },
    )


def opened(name: str, chosen: Chosen, view: View) -> Opened:
    """Load the folder `chosen.checkpoint` and watch the corpus' videos.

    Raises WrongUsageError if no folder is named, or one of permuted labels without saying so,
    EnvironmentFailure if it is absent or damaged.
    """
    kept = checkpoints.load(checkpoints.checkpoint_folder(chosen.checkpoint, name), baseline=name)
    _check_control(chosen.control, kept)
    eyes = _restored(kept)
    features = watched(Eyes(eyes, shuffled=chosen.control == SHUFFLED), view.corpus, view)
    return Opened(
        eyes,
        _others(kept),
        msgspec.convert(kept.facts["lexicon"], Lexicon),
        kept.facts,
        features,
        _provenance(kept, features),
    )


def taken(folder: Path, attributes: tuple[Attribute, ...] | None = None) -> Recogniser:
    """The recogniser of a trained folder of any baseline that has one.

    Raises EnvironmentFailure or WrongUsageError as `checkpoints.load` does, and WrongUsageError
    if its attributes are not `attributes`.
    """
    recogniser = _restored(checkpoints.load(folder, baseline=HOLDERS))
    if attributes is not None:
        _check_attributes(
            folder, recogniser, attributes, "leave the setting out, and one is trained"
        )
    return recogniser


def begun(folder: Path, baseline: str, attributes: tuple[Attribute, ...]) -> Begun:
    """All of a trained folder of `baseline`. Raises as `taken` does, and at one of a control."""
    kept = checkpoints.load(folder, baseline=baseline)
    _check_control("none", kept)
    recogniser = _restored(kept)
    _check_attributes(folder, recogniser, attributes, f"train {baseline} on this benchmark")
    lexicon = msgspec.convert(kept.facts["lexicon"], Lexicon)
    return Begun(recogniser, _others(kept), lexicon, kept.sha256)


def _others(kept: checkpoints.Checkpoint) -> dict[str, Tensor]:
    """The weights of the network that reads the rows."""
    return {key: weight for key, weight in kept.weights.items() if not key.startswith(PREFIX)}


def _check_attributes(
    folder: Path, recogniser: Recogniser, attributes: tuple[Attribute, ...], step: str
) -> None:
    if recogniser.attributes != attributes:
        raise WrongUsageError(
            f"{folder}: its recogniser tells other attributes apart than the benchmark's "
            f"{event_annotations.FILE} names; {step}"
        )


def _restored(kept: checkpoints.Checkpoint) -> Recogniser:
    """The recogniser in a checkpoint, as `saved` put it there. Raises WrongUsageError if none."""
    if "attributes" not in kept.facts:
        raise WrongUsageError(
            "the trained folder has no recogniser: it was trained for config=full"
        )
    attributes = msgspec.convert(kept.facts["attributes"], tuple[Attribute, ...])
    recogniser = Recogniser(attributes)
    own = {n.removeprefix(PREFIX): w for n, w in kept.weights.items() if n.startswith(PREFIX)}
    recogniser.load_state_dict(own)
    return recogniser.eval()


def _check_control(control: str, kept: checkpoints.Checkpoint) -> None:
    """Raise WrongUsageError if weights of permuted labels run without saying so, or others with."""
    trained = kept.settings["control"]
    if (control == PERMUTED) != (trained == PERMUTED):
        raise WrongUsageError(
            f"--set control={control}: the weights were trained with control={trained}; "
            f"{PERMUTED} is said in training and when it runs"
        )


def _provenance(kept: checkpoints.Checkpoint, features: Features) -> Provenance:
    """What a baseline tells of a trained folder with a recogniser, and of the frames it saw."""
    settings = {name: of for name, of in kept.settings.items() if name not in PLACES}
    return Provenance(
        parameters=sum(weight.numel() for weight in kept.weights.values()),
        frames_per_video=f"{SAMPLER.rate:g} per second",
        training_data=(kept.facts["benchmark"],),
        details={
            "checkpoint": kept.sha256,
            "trained": {"settings": settings, "seed": kept.facts["seed"]},
            "decoder": features.decoder,
            "skipped": features.skipped,
        },
    )
