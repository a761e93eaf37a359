"""What is broken on purpose in the dual encoder, to see what a figure rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
import numpy as np

from baselines.base import (
    LabelledSplit,
    View,
)
from baselines.event_models.event_annotations import Annotations
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import (
    Track,
)

Control = Literal[
    "none", "videos_permuted", "frames_shuffled", "events_shuffled", "text_alone", "labels_permuted"
]


def controlled(
    tracks: dict[str, Track], control: Control, view: View, known: Lexicon
) -> dict[str, Track]:
    """Tracks as `control` has them."""
    drawn = np.random.default_rng(view.seed)
    if control == "videos_permuted":
        names = list(tracks)
        return dict(
            zip(names, (tracks[names[at]] for at in drawn.permutation(len(names))), strict=True)
        )
    if control == "events_shuffled":
        return {
            name: each.taken(drawn.permutation(len(each.lengths))) for name, each in tracks.items()
        }
    if control == "text_alone":
        return {name: _written(view.videos[name].text, known) for name in tracks}
    return tracks


def _written(fields: Mapping[str, str], known: Lexicon) -> Track:
    """A video as its text names it: one segment that shows all values named."""
    values = np.zeros((1, len(known.kinds)), np.float32)
    for written in fields.values():
        for language in known.phrases:
            values[0, [at for at in known.read(written, language).values if at >= 0]] = 1
    return Track(values, np.ones(1))


def permuted(
    found: Annotations, training: LabelledSplit, seed: int
) -> tuple[Annotations, LabelledSplit]:
    """A control: scripts and gold videos, each dealt out anew among the videos."""
    drawn = np.random.default_rng(seed)
    names = sorted(found.scripts)
    scripts = dict(
        zip(names, (found.scripts[names[at]] for at in drawn.permutation(len(names))), strict=True)
    )
    gold = list(training.gold)
    shown_at = [at for at, each in enumerate(gold) if each.video_id is not None]
    for at, other in zip(shown_at, drawn.permutation(shown_at), strict=True):
        gold[at] = msgspec.structs.replace(
            training.gold[at], video_id=training.gold[other].video_id, foil=None
        )
    return found._replace(scripts=scripts), training._replace(gold=tuple(gold))
