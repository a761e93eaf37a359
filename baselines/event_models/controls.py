"""Controls: break one thing on purpose, to measure what a figure rests on.

labels_permuted is a control of training, and must be named again when the weights run. All other
controls apply when trained weights run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec
import numpy as np

from baselines.base import LabelledSplit, View
from baselines.event_models.event_annotations import EventAnnotations
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import SegmentFeatures
from harness.errors import WrongUsageError

LABELS_PERMUTED = "labels_permuted"
FRAMES_SHUFFLED = "frames_shuffled"
MatchingControl = Literal[
    "none", "videos_permuted", "frames_shuffled", "events_shuffled", "text_alone", "labels_permuted"
]
V = TypeVar("V")


def training_split(view: View, control: str) -> LabelledSplit:
    """The split to train on. Raises WrongUsageError without labels or at a control of running."""
    if view.training is None:
        raise WrongUsageError(
            "expected a train split with labels to train on, found none; "
            "take a benchmark whose train split has labels"
        )
    if control not in ("none", LABELS_PERMUTED):
        raise WrongUsageError(
            f"control={control} is one of running, not of training; "
            f"train with control=none or {LABELS_PERMUTED}"
        )
    return view.training


def check_control(control: str, trained: str) -> None:
    """Check that permuted labels are named both in training (`trained`) and in running.

    Raises WrongUsageError if they are named in one alone.
    """
    if (control == LABELS_PERMUTED) != (trained == LABELS_PERMUTED):
        raise WrongUsageError(
            f"--set control={control}: the weights were trained with control={trained}; "
            f"name {LABELS_PERMUTED} in training and in running, or in neither"
        )


def permute(values: Mapping[str, V], generator: np.random.Generator) -> dict[str, V]:
    """The same names, each with the value of a random name."""
    names = list(values)
    others = [names[at] for at in generator.permutation(len(names))]
    return {name: values[other] for name, other in zip(names, others, strict=True)}


def permute_labels(
    annotations: EventAnnotations, training: LabelledSplit, seed: int
) -> tuple[EventAnnotations, LabelledSplit]:
    """Permute the annotations among the videos, and the gold videos among the turns."""
    generator = np.random.default_rng(seed)
    names = sorted(annotations.videos)
    videos = permute({name: annotations.videos[name] for name in names}, generator)
    gold = list(training.gold)
    with_video = [at for at, each in enumerate(gold) if each.video_id is not None]
    for at, other in zip(with_video, generator.permutation(with_video), strict=True):
        gold[at] = msgspec.structs.replace(
            training.gold[at], video_id=training.gold[other].video_id, foil=None
        )
    return annotations._replace(videos=videos), training._replace(gold=tuple(gold))


def apply_control(
    videos: dict[str, SegmentFeatures], control: MatchingControl, view: View, lexicon: Lexicon
) -> dict[str, SegmentFeatures]:
    """The videos under `control`; unchanged by a control that breaks something else."""
    generator = np.random.default_rng(view.seed)
    if control == "videos_permuted":
        return permute(videos, generator)
    if control == "events_shuffled":
        return {
            name: each.reorder(generator.permutation(len(each.lengths)))
            for name, each in videos.items()
        }
    if control == "text_alone":
        return {name: _from_text(view.videos[name].text, lexicon) for name in videos}
    return videos


def _from_text(fields: Mapping[str, str], lexicon: Lexicon) -> SegmentFeatures:
    """A video from its text: one segment that shows all values that the text names."""
    values = np.zeros((1, len(lexicon.kinds)), np.float32)
    for text in fields.values():
        for language in lexicon.phrases:
            values[0, [at for at in lexicon.tokenize(text, language).values if at >= 0]] = 1
    return SegmentFeatures(values, np.ones(1))
