"""Settings of retrievers with a trained head, and which of them hold when a trained folder runs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from baselines.base import Settings
from baselines.dialogue_context import Context
from baselines.settings import changed_settings
from harness.errors import WrongUsageError
from harness.records import CandidateUse

Tune = Literal["head", "all"]
# The settings that the weights depend on; another value needs other weights.
FIXED = ("tune", "similarity", "most", "vectors", "negatives", "moments", "words")
# Folders of this machine; their hashes are recorded instead.
PLACES = ("checkpoint", "clip", "features", "text")


class FeatureSettings(Settings, frozen=True):
    """The settings of a retriever over features: which weights, what to read.

    When a trained folder is run, the settings that are not given are those of the training.
    checkpoint: the trained folder to run. features: folders of features, as `ivcr features` makes
    them; of several the rows stand side by side. text: the text model whose token states are read,
    a folder or a name that `hf download` has fetched; without one, own words and characters are
    learned. text_revision: the commit of a name. context: the utterances to search with: the last
    one, all, or all with earlier ones counting less. candidates: whether the turn's candidates are
    ranked too, as `choice`. most: the most frames of a video.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "features", "text")

    checkpoint: str = ""
    features: tuple[str, ...] = ()
    text: str = ""
    text_revision: str | None = None
    context: Context = "last"
    candidates: CandidateUse = "unused"
    most: int = 12


class FinetuningSettings(FeatureSettings, frozen=True):
    """The settings of a baseline with a head over a checkpoint, or over features where some are.

    clip: the checkpoint of the CLIP kind to train on, a folder or a name that `hf download` has
    fetched. revision: the commit of a name. tune: what is trained, the head alone or the encoders
    too. rate: frames a second. These four are not read where `features` is set.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "clip", "features", "text")

    clip: str = "google/siglip2-base-patch16-224"
    revision: str | None = None
    tune: Tune = "head"
    rate: float = 1.0


S = TypeVar("S", bound=FeatureSettings)


def merge_settings(given: S, names: Collection[str], trained: dict[str, Any]) -> S:
    """The settings of the training, overridden by the given ones.

    names: the settings that were given, even if they are the defaults. Raises WrongUsageError if a
    given setting needs other weights.
    """
    instead = {name: getattr(given, name) for name in names}
    for key in FIXED:
        if key in instead and instead[key] != trained.get(key):
            raise WrongUsageError(
                f"--set {key}={instead[key]}: {given.checkpoint} was trained with "
                f"{key}={trained.get(key)}; leave it out, or train again"
            )
    if "features" in instead and bool(instead["features"]) != bool(trained.get("features")):
        kind = "features" if trained.get("features") else "a checkpoint of the CLIP kind (clip)"
        raise WrongUsageError(
            f"--set features=...: {given.checkpoint} was trained on {kind}; leave it out, or train "
            "again"
        )
    if "clip" in instead:  # the revision belongs to the name
        instead["revision"] = getattr(given, "revision")  # noqa: B009 - only some have it
    if "text" in instead:
        instead["text_revision"] = given.text_revision
    merged = trained | instead | {"candidates": given.candidates}
    return msgspec.convert(merged, type(given))


def recorded_settings(chosen: FeatureSettings) -> dict[str, Any]:
    """The settings that run.json tells: those that differ from the defaults and are no places."""
    return {name: of for name, of in changed_settings(chosen).items() if name not in PLACES}
