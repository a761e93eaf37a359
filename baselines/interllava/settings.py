"""InterLLaVA's settings, of both configurations, and which of them a trained folder fixes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Literal

import msgspec

from baselines.base import Settings
from baselines.event_models.recogniser_training import Size
from baselines.interllava.losses import WEIGHT
from baselines.interllava.training import LossForm
from baselines.localisation.localiser_settings import Reader, refuse_settings
from harness.errors import WrongUsageError
from harness.files import shown

Control = Literal["none", "videos_permuted", "frames_shuffled"]
# The settings that the weights of a small folder depend on; another value needs other weights.
FIXED = ("config", "reader", "ranks", "size")
BEFORE: dict[str, Any] = {"reader": "events", "ranks": False}  # of folders in which none is named
# Folders of one machine; their hashes are recorded instead.
PLACES = ("checkpoint", "start", "files", "features", "text")


class InterLLaVASettings(Settings, frozen=True):
    """Configuration and weights, losses, a control, and what each configuration needs.

    config: full (from published files), or tiny (from scratch). checkpoint: the trained folder to
    run with; full runs without one as published. losses: how the losses of the candidate's number
    and of the span are computed. `spelt`: from the probabilities of the tokens that spell the
    numbers, so with a gradient. `argmax`: from the most likely text, as published, without a
    gradient. `words`: not at all. weight: of these two losses. control: what is broken on purpose
    when it runs; videos_permuted shows each video in the place of another, frames_shuffled (tiny)
    the frames of each video in a random order.
    reader: (tiny) what is trained; frames learns from features of any encoder and gold spans alone,
    events from annotated events, which only IVCR-Mini has. A trained folder brings its own.
    features: (tiny, frames) folders of frame features that `ivcr features` made. text: (tiny,
    frames) a text encoder's checkpoint, a folder or a name that `hf download` has fetched (none:
    the train split's own words). text_revision: the commit of a name. ranks: (tiny, frames) whether
    a candidate's place in the list that it was given in, the first stage's order, is a token.
    start: (tiny, events) the trained folder of a dual encoder that training starts from. size:
    (tiny) how many training steps. files: (full) the folder of published files. frames: (full) of
    each candidate. moment_frames: (full) of a moment turn's video. dtype: (full) of the frozen
    weights.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "start", "files", "features", "text")

    config: Literal["tiny", "full"] = "full"
    checkpoint: str = ""
    losses: LossForm = "spelt"
    weight: float = WEIGHT
    control: Control = "none"
    reader: Reader = "frames"
    features: tuple[str, ...] = ()
    text: str = ""
    text_revision: str | None = None
    ranks: bool = True
    start: str = ""
    size: Size = "full"
    files: str = ""
    frames: int = 12
    moment_frames: int = 64
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"


def check_reader(settings: InterLLaVASettings) -> None:
    """Check settings of tiny's training. Raises WrongUsageError at one that is another reader's."""
    if settings.reader == "events":
        refuse_settings("events", {"features": settings.features, "text": settings.text})
    else:
        refuse_settings("frames", {"start": settings.start})


def merge_settings(
    given: InterLLaVASettings, names: Collection[str], trained: dict[str, Any]
) -> InterLLaVASettings:
    """The settings of a small folder's training, `trained`, overridden by the given ones, `names`.

    Raises WrongUsageError if a given setting needs other weights.
    """
    trained = BEFORE | trained
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
    return msgspec.convert(merged, InterLLaVASettings)
