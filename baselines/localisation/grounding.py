"""What tan2d and moment_detr have in common: a video as steps that know what the question asks for.

A video is cut into STEPS steps of one length. Of each step is known what its frames show, and to
which segment (baselines/event_models/event_segments.py) it belongs: what that shows, and what the
ones before and after show. A question's roles (baselines/event_models/query_encoder.py) are
compared with all of these, so that a step is a small vector of agreements, of any colour or shape;
the question's gist is joined to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.base import Answer, Provenance, Query, Settings, View
from baselines.dialogue_context import video_in_focus
from baselines.event_models.event_annotations import Attribute, size
from baselines.event_models.event_segments import Segments, gate, logarithms, pooled, segments
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import (
    WIDTH,
    Layer,
    TextNet,
    Texts,
    batch,
    sinusoids,
    text,
)
from baselines.event_models.recogniser_checkpoints import opened
from baselines.event_models.recogniser_training import Size
from baselines.localisation.proposals import nms
from baselines.ranking import Corpus
from baselines.video.features import Features
from harness.records import Moment
from harness.temporal import Spans

STEPS = 48
ROLES = 2
KNOWN = 10  # of a step beside agreements, see `scene`
INPUTS = 4 * ROLES + KNOWN
MOMENTS = 10


Control = Literal["none", "videos_permuted", "frames_shuffled", "labels_permuted"]
Rows = NDArray[np.float32]


class GroundingSettings(Settings, frozen=True):
    """Which weights, how much to train, and the controls.

    checkpoint: the trained folder, to run with. recogniser: a trained folder whose recogniser is
    taken instead of training one. control: what is broken on purpose, to see what a figure rests
    on; labels_permuted in training and when it runs, the others when it runs.
    """

    checkpoint: str = ""
    size: Size = "full"
    recogniser: str = ""
    control: Control = "none"


class Scene(NamedTuple):
    """A video as steps.

    shows: (STEPS, values) of each step; segments: (n + 1, values), the last one nothing; owner:
    (STEPS, 3) the segment that a step is in, the one before and the one after; known: (STEPS,
    KNOWN) what needs no question.
    """

    shows: Rows
    segments: Rows
    owner: NDArray[np.int64]
    known: Rows


class Scenes(NamedTuple):
    """A batch of scenes."""

    shows: Tensor
    segments: Tensor
    owner: Tensor
    known: Tensor


class Batch(NamedTuple):
    """Questions, their videos, and the gold moments as fractions of the videos: (n, 2)."""

    texts: Texts
    scenes: Scenes
    gold: Tensor


def scene(
    rows: Rows, attributes: tuple[Attribute, ...], values: Rows, bounds: NDArray[np.float64]
) -> Scene:
    """A scene of a recogniser's rows and of segments: (n, values), (n, 2) fractions of the video.

    known: certainty that an event goes on; whether the step is in a segment; that segment's
    length (log), whether it is the longest, shortest, first, last; where it starts and ends; where
    the step is.
    """
    steps = np.arange(STEPS)
    first = steps * len(rows) // STEPS
    after = np.maximum(first + 1, -(-(steps + 1) * len(rows) // STEPS))
    centre = (steps + 0.5) / STEPS
    count = len(values)
    before = np.searchsorted(bounds[:, 1], centre, side="right") - 1  # the last that has ended
    later = np.searchsorted(bounds[:, 0], centre, side="right")  # the first that has not begun
    inside = later - before == 2
    own = np.where(inside, before + 1, count)
    owner = np.stack([own, np.where(before < 0, count, before), later], axis=1)
    lengths = bounds[:, 1] - bounds[:, 0]
    facts = np.zeros((count + 1, 7))
    facts[:count] = np.stack(
        [
            np.log(np.maximum(lengths, 1e-3)) + 2,
            lengths == lengths.max(),
            lengths == lengths.min(),
            np.arange(count) == 0,
            np.arange(count) == count - 1,
            *bounds.T,
        ],
        axis=1,
    )
    going = pooled(rows[:, -1:], first, after)
    known = np.concatenate([going, inside[:, None], facts[own], centre[:, None]], axis=1)
    shows = pooled(gate(rows, attributes), first, after)
    nothing = np.zeros((1, values.shape[1]), np.float32)
    return Scene(
        logarithms(shows),
        np.concatenate([logarithms(values), nothing]),
        owner,
        known.astype(np.float32),
    )


def together(scenes: Sequence[Scene]) -> Scenes:
    """Scenes side by side; "nothing" comes to stand last in all."""
    most = max(len(each.segments) for each in scenes)
    values = scenes[0].shows.shape[1]
    filled = np.zeros((len(scenes), most, values), np.float32)
    owner = np.zeros((len(scenes), STEPS, 3), np.int64)
    for row, each in enumerate(scenes):
        count = len(each.segments) - 1
        filled[row, :count] = each.segments[:count]
        owner[row] = np.where(each.owner == count, most - 1, each.owner)
    return Scenes(
        torch.from_numpy(np.stack([each.shows for each in scenes])),
        torch.from_numpy(filled),
        torch.from_numpy(owner),
        torch.from_numpy(np.stack([each.known for each in scenes])),
    )


class Reader(nn.Module):
    """Questions and videos to states of the steps, (n, STEPS, WIDTH), and gists, (n, WIDTH)."""

    places: Tensor

    def __init__(self, inputs: int, values: int) -> None:
        """inputs: different tokens of texts; values: of all attributes together."""
        super().__init__()
        self.text = TextNet(inputs, values, ROLES)
        self.enter = nn.Linear(INPUTS, WIDTH)
        self.gist = nn.Linear(WIDTH, 2 * WIDTH)
        self.register_buffer("places", sinusoids(STEPS), persistent=False)
        self.layers = nn.ModuleList(Layer(0.1) for _ in range(2))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, texts: Texts, scenes: Scenes) -> tuple[Tensor, Tensor]:
        """States and gists."""
        asked = self.text(texts)
        here = torch.einsum("nrv,ntv->ntr", asked.roles, scenes.shows)
        there = torch.einsum("nrv,nsv->nsr", asked.roles, scenes.segments)
        owner = scenes.owner.flatten(1)[..., None].expand(-1, -1, ROLES)
        around = there.gather(1, owner).view(len(owner), STEPS, 3 * ROLES)
        state = self.enter(torch.cat([here, around, scenes.known], dim=2))
        scale, shift = self.gist(asked.gist)[:, None].chunk(2, dim=2)
        state = nn.functional.gelu(state * (1 + scale) + shift) + 0.3 * self.places
        mask = torch.ones(state.shape[:2], dtype=torch.int64, device=state.device)
        for layer in self.layers:
            state = layer(state, mask)
        return self.norm(state), asked.gist


class LocaliserHead(Protocol):
    """What a localiser makes of states and gists."""

    def loss(self, state: Tensor, gist: Tensor, gold: Tensor) -> Tensor:
        """What is to be made small; gold: (n, 2) fractions of the video."""

    def spans(self, state: Tensor, gist: Tensor) -> tuple[Tensor, Tensor]:
        """Spans as fractions (n, k, 2), and their scores (n, k), in any order."""


class Grounder(nn.Module):
    """A reader and a localiser's head."""

    def __init__(self, inputs: int, values: int, head: nn.Module) -> None:
        """inputs: different tokens of texts; values: of all attributes together."""
        super().__init__()
        self.reader, self.head = Reader(inputs, values), head

    def loss(self, batch: Batch) -> Tensor:
        """The head's loss."""
        state, gist = self.reader(batch.texts, batch.scenes)
        return self.head.loss(state, gist, batch.gold)  # type: ignore[operator,no-any-return]

    def spans(self, texts: Texts, scenes: Scenes) -> tuple[Tensor, Tensor]:
        """The head's spans."""
        return self.head.spans(*self.reader(texts, scenes))  # type: ignore[operator,no-any-return]


class Footage(NamedTuple):
    """One video: the recogniser's rows, its segments' values, its scene, its length in ms."""

    rows: Rows
    values: Rows
    scene: Scene
    length: int


def footage(
    seen: Mapping[str, Rows],
    when: Mapping[str, NDArray[np.int32]],
    attributes: tuple[Attribute, ...],
) -> dict[str, Footage]:
    """By video id what is known of each, from a recogniser's rows at times in ms."""
    found = {}
    for name in seen:
        rows, times = np.asarray(seen[name]), when[name]
        length = int(times[-1] + times[0])
        cut: Segments = segments(rows, times, attributes)
        bounds = np.clip(cut.spans / length, 0, 1)
        found[name] = Footage(rows, cut.values, scene(rows, attributes, cut.values, bounds), length)
    return found


class Opened(NamedTuple):
    """A trained folder, ready to answer; ends: by video id where it ends, in ms."""

    grounder: Grounder
    lexicon: Lexicon
    films: dict[str, Footage]
    ends: dict[str, int]
    provenance: Provenance


@torch.inference_mode()
def open_trained(name: str, chosen: GroundingSettings, make: type[nn.Module], view: View) -> Opened:
    """Load the folder `chosen.checkpoint` and watch the corpus' videos; `make` makes the head.

    Raises WrongUsageError if no folder is named, EnvironmentFailure if it is absent or damaged,
    MissingInputError if no video can be read.
    """
    kept = opened(name, chosen, view)
    attributes, features = kept.eyes.attributes, kept.features
    grounder = Grounder(kept.lexicon.size, size(attributes), make()).eval()
    grounder.load_state_dict(kept.weights)
    seen = Corpus(view).readable(features)
    films = footage(features, features.times, attributes)
    if chosen.control == "videos_permuted":
        order = np.random.default_rng(view.seed).permutation(len(seen))
        films = {one: films[seen[at]] for one, at in zip(seen, order, strict=True)}
    ends = {video_id: _end(view, video_id, features) for video_id in seen}
    return Opened(grounder, kept.lexicon, films, ends, kept.provenance)


@torch.inference_mode()
def answer(query: Query, opened: Opened) -> Answer:
    """Up to ten moments, best first, in a moment turn whose video is known and can be read."""
    video_id = video_in_focus(query)
    if query.task != "moment" or video_id is None or video_id not in opened.films:
        return Answer()
    said = text(opened.lexicon, [(query.utterance, query.language, 0)])
    scenes = together([opened.films[video_id].scene])
    fractions, scores = opened.grounder.spans(batch([said]), scenes)
    found = spans(fractions[0].numpy(), opened.ends[video_id])
    kept = nms(found, scores[0].numpy().astype(np.float64), most=MOMENTS)
    return Answer(moments=tuple(Moment(video_id, *map(int, found[at])) for at in kept))


def spans(fractions: NDArray[np.floating[Any]], end: int) -> Spans:
    """Fractions of a video that ends at `end` ms as spans of 1 ms at least: (n, 2)."""
    found = np.rint(np.clip(fractions, 0, 1).astype(np.float64) * end).astype(np.int64)
    start = np.minimum(found.min(axis=1), end - 1)
    return np.stack([start, np.maximum(found.max(axis=1), start + 1)], axis=1)


def _end(view: View, video_id: str, features: Features) -> int:
    """Where the video ends, in ms: as declared, but not past what was seen."""
    times = features.times[video_id]
    seen = int(times[-1] + times[0])
    return max(1, min(view.videos[video_id].duration or seen, seen))
