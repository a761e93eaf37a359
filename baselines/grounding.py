"""What tan2d and moment_detr have in common: a video as steps that know what the question asks for.

A video is cut into STEPS steps of one length. Of each step is known what its frames show, and to
which segment (baselines/segments.py) it belongs: what that shows, and what the ones before and
after show. A question's roles (baselines/asking.py) are compared with all of these, so that a step
is a small vector of agreements, of any colour or shape; the question's gist is joined to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import numpy as np
import pytorch_lightning as pl
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines import checkpoints, lexicon, recogniser
from baselines.asking import WIDTH, Layer, Text, TextNet, Texts, batch, sinusoids, text
from baselines.context import video_in_focus
from baselines.features import Features, extract
from baselines.lexicon import Lexicon
from baselines.protocol import (
    Answer,
    Course,
    MissingInputError,
    Provenance,
    Query,
    Training,
    View,
)
from baselines.recogniser import Eyes, Size
from baselines.scripts import Annotations, Attribute, read, size
from baselines.search import Corpus
from baselines.segments import Segments, doubts, gate, of_events, pooled, segments, unsure
from baselines.spans import Spans, nms
from baselines.training import StepBatches, fit, one_cycle
from baselines.training_metrics import Moments
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.records import Moment

STEPS = 48
ROLES = 2
KNOWN = 10  # of a step beside agreements, see `scene`
INPUTS = 4 * ROLES + KNOWN
FLOOR = 0.03
MOMENTS = 10

BATCH = 32
DECAY = 1e-2
SPLICED = 0.5  # share of training scenes that are put together anew, where that is sound

Control = Literal["none", "videos_permuted", "frames_shuffled", "labels_permuted"]
Rows = NDArray[np.float32]


class GroundingSettings(Struct, frozen=True, forbid_unknown_fields=True):
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
        _logarithms(shows),
        np.concatenate([_logarithms(values), nothing]),
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


class Head(Protocol):
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


def learnt(
    name: str, chosen: GroundingSettings, make: type[nn.Module], view: View,
    course: Course, plan: Plan,
) -> None:  # fmt: skip
    """Train the recogniser and a grounder, whose head `make` makes; write `course.out`."""
    if view.training is None:
        raise WrongUsageError("expected a train split with labels to train on")
    if chosen.control not in ("none", "labels_permuted"):
        raise WrongUsageError(f"control={chosen.control} is one of running, not of training")
    found, training = read(view.folder, name), view.training
    eyes, seen = recogniser.learn(view, course, found, chosen.size, chosen.recogniser)
    seen = recogniser.watch(eyes, _named(training, view.validation, found), view, seen)
    known = lexicon.of(training, found)
    films = footage(seen.rows, seen.times, found.attributes)
    asked = _questions(training, known, films)
    if not asked:
        raise MissingInputError("no moment turn of the train split has a video that can be read")
    if chosen.control == "labels_permuted":
        asked = _dealt(asked, course.seed)
    later = _questions(view.validation, known, films) if view.validation else []
    torch.manual_seed(course.seed)
    module = _Training(Grounder(known.size, found.size, make()), later, films, plan)
    _fit(module, _Draw(asked, films, seen.times, found), course, plan.steps[chosen.size], view)
    facts = {
        "attributes": msgspec.to_builtins(found.attributes),
        "benchmark": f"{Benchmark(view.folder).header.name} train",
        "lexicon": msgspec.to_builtins(known),
        "seed": course.seed,
        "validation": module.figures,
    }
    weights = recogniser.weights(eyes) | module.grounder.state_dict()
    checkpoints.save(course.out, baseline=name, settings=chosen, weights=weights, facts=facts)


class Plan(NamedTuple):
    """How a localiser is trained: the rate at its highest, and the steps of each size."""

    rate: float
    steps: dict[Size, int]


class Opened(NamedTuple):
    """A trained folder, ready to answer."""

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
    if not chosen.checkpoint:
        raise WrongUsageError(
            f"{name} runs with weights: train them with `ivcr baseline train {name} --benchmark B "
            "--out FOLDER`, then give --set checkpoint=FOLDER"
        )
    kept = checkpoints.load(Path(chosen.checkpoint), baseline=name)
    recogniser.check_control(chosen.control, kept)
    known = msgspec.convert(kept.facts["lexicon"], Lexicon)
    eyes = recogniser.restored(kept)
    grounder = Grounder(known.size, size(eyes.attributes), make()).eval()
    grounder.load_state_dict(recogniser.others(kept))
    features = extract(
        [view.videos[video_id] for video_id in view.corpus],
        view.folder,
        recogniser.SAMPLER,
        Eyes(eyes, shuffled=chosen.control == "frames_shuffled"),
        cache=view.cache,
        note=view.note,
    )
    seen = Corpus(view).seen(features)
    films = footage(features, features.times, eyes.attributes)
    if chosen.control == "videos_permuted":
        order = np.random.default_rng(view.seed).permutation(len(seen))
        films = {one: films[seen[at]] for one, at in zip(seen, order, strict=True)}
    ends = {video_id: _end(view, video_id, features) for video_id in seen}
    provenance = recogniser.provenance(kept, features)
    return Opened(grounder, known, films, ends, provenance)


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


def _named(training: Training, validation: Training | None, found: Annotations) -> list[str]:
    """The videos of all gold moments, and all annotated ones."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    moments = {str(gold.video_id) for gold in golds if gold.moment is not None}
    return sorted(moments | found.scripts.keys())


class Question(NamedTuple):
    """A moment turn: its text, its video, its gold span in ms, whether it names a relation."""

    text: Text
    video_id: str
    start: int
    end: int
    related: bool


def _questions(training: Training, known: Lexicon, films: Mapping[str, Footage]) -> list[Question]:
    """The moment turns of a split whose video can be read."""
    found = []
    for turn, gold in zip(training.turns, training.gold, strict=True):
        video_id = gold.video_id
        if turn.task == "moment" and gold.moment and video_id and video_id in films:
            read = text(known, [(turn.utterance, turn.language, 0)])
            found.append(
                Question(read, video_id, gold.moment.start, gold.moment.end,
                         "relation" in gold.tags)
            )  # fmt: skip
    return found


def _dealt(asked: Sequence[Question], seed: int) -> list[Question]:
    """A control: the questions' texts dealt out anew among their gold moments."""
    order = np.random.default_rng(seed).permutation(len(asked))
    return [each._replace(text=asked[at].text) for each, at in zip(asked, order, strict=True)]


class _Draw:
    """Draws questions, some of them in a video that is put together anew.

    What a question without a relation asks for stays what it is if the other events change places,
    go, or are joined by one of another video. Only where relations are tagged is that known.
    """

    def __init__(
        self, asked: list[Question], films: dict[str, Footage],
        times: Mapping[str, NDArray[np.int32]], found: Annotations,
    ) -> None:  # fmt: skip
        self._asked, self._films, self._attributes = asked, films, found.attributes
        self._tagged = any(each.related for each in asked)
        self._events = {
            name: edges
            for name in sorted(films.keys() & found.scripts.keys())
            if (edges := of_events(times[name], found.scripts[name])) is not None
        }
        self._names = sorted(self._events)
        unseen = [film.values for name, film in films.items() if name not in found.scripts]
        self._doubt = doubts(unseen, found.attributes)
        self._times = times

    def __call__(self, step: int, drawn: np.random.Generator) -> list[tuple[Text, Scene, Any]]:
        return [
            self._one(self._asked[at], drawn) for at in drawn.integers(len(self._asked), size=BATCH)
        ]

    def _one(self, asked: Question, drawn: np.random.Generator) -> tuple[Text, Scene, Any]:
        film = self._films[asked.video_id]
        middle = (asked.start + asked.end) / 2
        edges = self._events.get(asked.video_id)
        if edges is not None and drawn.random() < SPLICED:
            times = self._times[asked.video_id]
            hits = [at for at, (a, b) in enumerate(edges) if times[a] <= middle <= times[b - 1]]
            if hits:
                return asked.text, *self._anew(film.rows, edges, hits[0], asked.related, drawn)
        gold = np.array([asked.start, asked.end], np.float32) / film.length
        return asked.text, film.scene, np.minimum(gold, 1)

    def _anew(
        self, rows: Rows, edges: NDArray[np.int64], gold: int, related: bool,
        drawn: np.random.Generator,
    ) -> tuple[Scene, Any]:  # fmt: skip
        """A scene of the events in other lengths, and if not related in another order."""
        pieces = [(rows[a:b], at == gold) for at, (a, b) in enumerate(edges)]
        if self._tagged and not related:
            pieces = [p for p in pieces if p[1] or drawn.random() > 0.15]
            if drawn.random() < 0.5:
                other = str(drawn.choice(self._names))
                a, b = self._events[other][drawn.integers(len(self._events[other]))]
                pieces.append((np.asarray(self._films[other].rows[a:b]), False))
            pieces = [pieces[at] for at in drawn.permutation(len(pieces))]
        ends = [0, *edges.ravel(), len(rows)]
        gaps = [rows[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True) if b > a] or [
            rows[:1]
        ]
        film, bounds, now = [], [], 0
        for piece, _ in [*pieces, (None, False)]:
            gap = _resampled(gaps[drawn.integers(len(gaps))], drawn.uniform(0.4, 1.6))
            film.append(gap)
            now += len(gap)
            if piece is not None:
                scale = 1.0 if related else float(np.exp(0.2 * drawn.standard_normal()))
                shot = self._doubted(_resampled(piece, scale), drawn)
                film.append(shot)
                bounds.append((now, now + len(shot)))
                now += len(shot)
        everything, cuts = np.concatenate(film), np.array(bounds)
        values = pooled(gate(everything, self._attributes), *cuts.T)
        made = scene(everything, self._attributes, values, cuts / len(everything))
        which = next(at for at, (_, is_gold) in enumerate(pieces) if is_gold)
        return made, (cuts[which] / len(everything)).astype(np.float32)

    def _doubted(self, shot: Rows, drawn: np.random.Generator) -> Rows:
        """An event as an unsure recogniser would have it throughout."""
        mean = shot.mean(axis=0, keepdims=True)
        return np.asarray(
            np.maximum(shot + unsure(mean, self._attributes, self._doubt, drawn) - mean, 0),
            np.float32,
        )


def _resampled(rows: Rows, scale: float) -> Rows:
    """Rows at another speed: one at least."""
    count = max(1, round(len(rows) * scale))
    return np.asarray(rows[np.arange(count) * len(rows) // count])


def _collate(rows: Sequence[tuple[Text, Scene, Any]]) -> Batch:
    texts, scenes, gold = zip(*rows, strict=True)
    return Batch(batch(texts), together(scenes), torch.from_numpy(np.stack(gold)))


class _Training(pl.LightningModule):
    """Trains a grounder; finds the moments of the validation questions."""

    def __init__(
        self, grounder: Grounder, later: list[Question], films: dict[str, Footage], plan: Plan
    ) -> None:
        super().__init__()
        self.grounder, self._later, self._films, self._rate = grounder, later, films, plan.rate
        self._found = Moments()
        self.figures: dict[str, float] = {}

    def training_step(self, batch: Batch, _: int) -> Tensor:
        return self.grounder.loss(batch)

    def validation_step(self, which: Tensor, _: int) -> None:
        for at in which.tolist():
            asked = self._later[at]
            film = self._films[asked.video_id]
            fractions, scores = self.grounder.spans(batch([asked.text]), together([film.scene]))
            found = spans(fractions[0].numpy(), film.length)
            kept = nms(found, scores[0].numpy().astype(np.float64), most=5)
            rows = np.zeros((1, 5, 2), np.int64)
            rows[0, : len(kept)] = found[kept]
            gold = torch.tensor([[asked.start, asked.end]], device=self.device)
            self._found.update(torch.from_numpy(rows).to(self.device), gold)

    def on_validation_epoch_end(self) -> None:
        figures = self._found.compute()
        self.log_dict({name: value.float() for name, value in figures.items()})
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._found.reset()

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        return one_cycle(self, self._rate, DECAY)


def _fit(module: _Training, draw: _Draw, course: Course, steps: int, view: View) -> None:
    later = DataLoader(range(len(module._later)), batch_size=64) if module._later else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(draw, _collate, seed=course.seed).loader(),
        course,
        stage="grounder",
        steps=steps,
        validation=later,
        every=max(1, min(steps, course.steps or steps) // 5),
        note=view.note,
    )


def _logarithms(values: Rows) -> Rows:
    """Probabilities as logarithms, brought to [0, 1]."""
    scaled = (np.log(values + FLOOR) - np.log(FLOOR)) / np.log1p(1 / FLOOR)
    return np.asarray(scaled, np.float32)
