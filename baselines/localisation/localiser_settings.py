"""The settings of tan2d and moment_detr; a trained folder brings those of its training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal

import msgspec

from baselines.base import Settings
from harness.errors import WrongUsageError
from harness.files import shown

Reader = Literal["frames", "events"]
Size = Literal["small", "full"]
LocaliserControl = Literal["none", "videos_permuted", "frames_shuffled", "labels_permuted"]
# The settings that the weights depend on; another value needs other weights.
FIXED = ("reader", "size")
BEFORE = "events"  # the reader of folders in which none is named


class LocaliserSettings(Settings, frozen=True):
    """The settings of tan2d and moment_detr: weights, what is read, length of training, control.

    When a trained folder is run, the settings that are not given are those of the training.
    checkpoint: the trained folder to run with. reader: what is trained; frames learns from gold
    spans alone, events from annotated events, which only IVCR-Mini has. features: folders of frame
    features that `ivcr features` made (none: the localiser's own frame network, trained on pixels).
    text: a text encoder's checkpoint, a folder or a name that `hf download` has fetched (none: the
    train split's own words and characters). text_revision: the commit of a name. size: how much is
    trained. recogniser: for reader=events, a trained folder whose recogniser is used instead of
    training one. control: what is broken on purpose, to measure what a figure rests on;
    labels_permuted is named in training and in running, the others in running.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "features", "text", "recogniser")

    checkpoint: str = ""
    reader: Reader = "frames"
    features: tuple[str, ...] = ()
    text: str = ""
    text_revision: str | None = None
    size: Size = "full"
    recogniser: str = ""
    control: LocaliserControl = "none"


def check_reader(settings: LocaliserSettings) -> None:
    """Check settings of training. Raises WrongUsageError at one that the reader does not take."""
    if settings.reader == "events":
        others = {"features": settings.features, "text": settings.text}
    else:
        others = {"recogniser": settings.recogniser}
    refuse_settings(settings.reader, others)


def refuse_settings(reader: Reader, others: Mapping[str, object]) -> None:
    """Check that `others`, settings of the other reader, are left out. Raises WrongUsageError."""
    other = "frames" if reader == "events" else "events"
    for name, value in others.items():
        if value:
            raise WrongUsageError(
                f"{name} is a setting of reader={other}, found reader={reader}; leave {name} out, "
                f"or train with --set reader={other}"
            )


def merge_settings(
    given: LocaliserSettings, names: Collection[str], trained: dict[str, Any]
) -> LocaliserSettings:
    """The settings of the training, `trained`, overridden by the given ones, `names`.

    Raises WrongUsageError if a given setting needs other weights.
    """
    trained = {"reader": BEFORE} | trained
    for key in FIXED:
        value = getattr(given, key)
        if key in names and value != trained.get(key):
            raise WrongUsageError(
                f"--set {key}={value}: {given.checkpoint} was trained with {key}="
                f"{shown(str(trained.get(key)))}; leave it out, or train again"
            )
    instead = {name: getattr(given, name) for name in names}
    if "text" in instead:  # the revision belongs to the name
        instead["text_revision"] = given.text_revision
    merged = trained | instead | {"checkpoint": given.checkpoint, "control": given.control}
    return msgspec.convert(merged, LocaliserSettings)
