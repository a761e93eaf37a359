"""Checkpoint folders of the baselines with a recogniser: dual_encoder, tan2d, moment_detr.

A folder holds the weights of the recogniser and of the network that reads its rows. Its facts are
the recogniser's attributes, the lexicon, the seed and the validation figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from torch import Tensor, nn

from baselines.base import Provenance, TrainerConfig, View
from baselines.event_models import event_annotations
from baselines.event_models.controls import FRAMES_SHUFFLED, check_control
from baselines.event_models.event_annotations import Attribute
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.recogniser import (
    SAMPLER,
    Recogniser,
    RecogniserEncoder,
    encode_videos,
)
from baselines.training import checkpoints
from baselines.video.features import Features
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError

PREFIX = "recogniser."  # of its weights' names in a checkpoint
BASELINES = ("dual_encoder", "tan2d", "moment_detr", "interllava")  # with a recogniser
LOCAL_SETTINGS = ("checkpoint", "recogniser", "start")  # they name folders of one machine


class CheckpointSettings(Protocol):
    """The settings that all of these baselines have."""

    @property
    def checkpoint(self) -> str:
        """The trained folder to run with."""

    @property
    def control(self) -> str:
        """What is broken on purpose."""


class RecogniserCheckpoint(NamedTuple):
    """A trained folder, and the recogniser's rows of the corpus' videos.

    weights: of the network that reads the rows. facts: as `save_checkpoint` wrote them.
    """

    recogniser: Recogniser
    weights: dict[str, Tensor]
    lexicon: Lexicon
    facts: dict[str, Any]
    features: Features
    provenance: Provenance


class Initialisation(NamedTuple):
    """A trained folder that another baseline's training starts from.

    sha256: as `checkpoints.load` gives it.
    """

    recogniser: Recogniser
    weights: dict[str, Tensor]
    lexicon: Lexicon
    sha256: str


def save_checkpoint(
    name: str, settings: Any, view: View, config: TrainerConfig, recogniser: Recogniser,
    network: nn.Module, lexicon: Lexicon, **facts: Any,
) -> None:  # fmt: skip
    """Write the folder `config.out` of the baseline `name`; facts: further ones."""
    weights = {PREFIX + key: weight for key, weight in recogniser.state_dict().items()}
    checkpoints.save(
        config.out,
        baseline=name,
        settings=settings,
        weights=weights | network.state_dict(),
        facts={
            "attributes": msgspec.to_builtins(recogniser.attributes),
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "lexicon": msgspec.to_builtins(lexicon),
            "seed": config.seed,
            **facts,
        },
    )


def load_checkpoint(name: str, settings: CheckpointSettings, view: View) -> RecogniserCheckpoint:
    """Load the folder `settings.checkpoint` and extract the features of the corpus' videos.

    Raises WrongUsageError if no folder is named, or if permuted labels are named in training or in
    running alone; EnvironmentFailure if the folder is absent or damaged.
    """
    stored = checkpoints.load(
        checkpoints.checkpoint_folder(settings.checkpoint, name), baseline=name
    )
    check_control(settings.control, stored.settings["control"])
    recogniser = _restore(stored)
    encoder = RecogniserEncoder(recogniser, shuffled=settings.control == FRAMES_SHUFFLED)
    features = encode_videos(encoder, view.corpus, view)
    return RecogniserCheckpoint(
        recogniser,
        _network_weights(stored),
        msgspec.convert(stored.facts["lexicon"], Lexicon),
        stored.facts,
        features,
        _provenance(stored, features),
    )


def load_recogniser(folder: Path, attributes: tuple[Attribute, ...] | None = None) -> Recogniser:
    """The recogniser of a trained folder of any baseline that has one.

    Raises EnvironmentFailure or WrongUsageError as `checkpoints.load` does, and WrongUsageError
    if its attributes are not `attributes`.
    """
    recogniser = _restore(checkpoints.load(folder, baseline=BASELINES))
    if attributes is not None:
        _check_attributes(
            folder, recogniser, attributes, "leave the setting out to train a recogniser"
        )
    return recogniser


def load_initialisation(
    folder: Path, baseline: str, attributes: tuple[Attribute, ...]
) -> Initialisation:
    """Load a trained folder of `baseline` to start another training from.

    Raises EnvironmentFailure or WrongUsageError as `load_recogniser` does, and WrongUsageError if
    the folder was trained under a control.
    """
    stored = checkpoints.load(folder, baseline=baseline)
    check_control("none", stored.settings["control"])
    recogniser = _restore(stored)
    _check_attributes(folder, recogniser, attributes, f"train {baseline} on this benchmark")
    lexicon = msgspec.convert(stored.facts["lexicon"], Lexicon)
    return Initialisation(recogniser, _network_weights(stored), lexicon, stored.sha256)


def _network_weights(stored: checkpoints.Checkpoint) -> dict[str, Tensor]:
    """The weights of the network that reads the rows."""
    return {key: weight for key, weight in stored.weights.items() if not key.startswith(PREFIX)}


def _check_attributes(
    folder: Path, recogniser: Recogniser, attributes: tuple[Attribute, ...], step: str
) -> None:
    if recogniser.attributes != attributes:
        raise WrongUsageError(
            f"{folder}: expected a recogniser of the attributes of the benchmark's "
            f"{event_annotations.FILE}, found one of other attributes; {step}"
        )


def _restore(stored: checkpoints.Checkpoint) -> Recogniser:
    """The recogniser that `save_checkpoint` wrote. Raises WrongUsageError if there is none."""
    if "attributes" not in stored.facts:
        raise WrongUsageError(
            "expected a trained folder with a recogniser, found one that was trained with "
            "config=full; train with config=tiny"
        )
    attributes = msgspec.convert(stored.facts["attributes"], tuple[Attribute, ...])
    recogniser = Recogniser(attributes)
    own = {n.removeprefix(PREFIX): w for n, w in stored.weights.items() if n.startswith(PREFIX)}
    recogniser.load_state_dict(own)
    return recogniser.eval()


def _provenance(stored: checkpoints.Checkpoint, features: Features) -> Provenance:
    """Provenance of a trained folder with a recogniser, and of the frames that were read."""
    settings = {k: value for k, value in stored.settings.items() if k not in LOCAL_SETTINGS}
    return Provenance(
        parameters=sum(weight.numel() for weight in stored.weights.values()),
        frames_per_video=f"{SAMPLER.rate:g} per second",
        training_data=(stored.facts["benchmark"],),
        annotations="annotated events",
        details={
            "checkpoint": stored.sha256,
            "trained": {"settings": settings, "seed": stored.facts["seed"]},
            "decoder": features.decoder,
            "skipped": features.skipped,
        },
    )
