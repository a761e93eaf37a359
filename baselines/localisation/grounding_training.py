"""Training a localiser's head (grounding.py) on the moment turns of a train split.

Half of the questions are asked of their own video, half of one put together anew: the annotated
events in other lengths, as an unsure recogniser might see them, and in another order, with some
left out and one of another video put in, where the question names no relation between events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import LabelledSplit, MissingInputError, TrainerConfig, View
from baselines.event_models import lexicon
from baselines.event_models.event_annotations import Annotations, read
from baselines.event_models.event_segments import doubts, gate, of_events, pooled, unsure
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import Text, batch, text
from baselines.event_models.recogniser import Seen, watch
from baselines.event_models.recogniser_checkpoints import PERMUTED, labelled, saved
from baselines.event_models.recogniser_training import Size, learn
from baselines.localisation.grounding import (
    Batch,
    Footage,
    Grounder,
    GroundingSettings,
    Rows,
    Scene,
    footage,
    scene,
    spans,
    together,
)
from baselines.localisation.proposals import nms
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle, to_device
from baselines.training.metrics import MomentMetrics

BATCH = 32
DECAY = 1e-2
SPLICED = 0.5  # share of training scenes that are put together anew, where that is sound


class Plan(NamedTuple):
    """How a localiser is trained: the rate at its highest, and the steps of each size."""

    rate: float
    steps: dict[Size, int]


def learnt(
    name: str, chosen: GroundingSettings, make: type[nn.Module], view: View,
    config: TrainerConfig, plan: Plan,
) -> None:  # fmt: skip
    """Train the recogniser and a grounder, whose head `make` makes; write `config.out`."""
    training = labelled(view, chosen.control)
    found = read(view.folder, name)
    eyes, seen = learn(view, config, found, chosen.size, chosen.recogniser)
    seen = watch(eyes, named(training, view.validation, found), view, seen)
    known = lexicon.of(training, found)
    asked = Asked.of(training, view.validation, known, seen, found)
    if chosen.control == PERMUTED:
        asked = asked.dealt(config.seed)
    module = grounded(asked, make, view, config, plan, chosen.size)
    saved(name, chosen, view, config, eyes, module.grounder, known, validation=module.figures)


def grounded(
    asked: Asked, make: type[nn.Module], view: View, config: TrainerConfig, plan: Plan, size: Size
) -> _Training:
    """Train a grounder, whose head `make` makes."""
    torch.manual_seed(config.seed)
    module = _Training(Grounder(asked.known.size, asked.found.size, make()), asked, plan)
    _fit(module, Draw(asked), config, plan.steps[size], view)
    return module


def named(
    training: LabelledSplit, validation: LabelledSplit | None, found: Annotations
) -> list[str]:
    """The videos of all gold moments, and all annotated ones."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    moments = {str(gold.video_id) for gold in golds if gold.moment is not None}
    return sorted(moments | found.scripts.keys())


class Question(NamedTuple):
    """A moment turn: its text, its video, its gold span in ms, whether it names a relation.

    turn: its place in the split.
    """

    text: Text
    video_id: str
    start: int
    end: int
    related: bool
    turn: int


class Asked(NamedTuple):
    """The questions of both splits and the videos, by id: what is known of them, times of rows."""

    train: list[Question]
    val: list[Question]
    known: Lexicon
    films: dict[str, Footage]
    times: Mapping[str, NDArray[np.int32]]
    found: Annotations

    @classmethod
    def of(
        cls, training: LabelledSplit, validation: LabelledSplit | None, known: Lexicon, seen: Seen,
        found: Annotations,
    ) -> Asked:  # fmt: skip
        """All questions whose video can be read. Raises MissingInputError if train has none."""
        films = footage(seen.rows, seen.times, found.attributes)
        train = _questions(training, known, films)
        if not train:
            raise MissingInputError(
                "no moment turn of the train split has a video that can be read"
            )
        val = _questions(validation, known, films) if validation else []
        return cls(train, val, known, films, seen.times, found)

    def dealt(self, seed: int) -> Asked:
        """A control: the questions' texts dealt out anew among their gold moments."""
        order = np.random.default_rng(seed).permutation(len(self.train))
        texts = [self.train[at].text for at in order]
        return self._replace(
            train=[each._replace(text=text) for each, text in zip(self.train, texts, strict=True)]
        )


def _questions(
    training: LabelledSplit, known: Lexicon, films: Mapping[str, Footage]
) -> list[Question]:
    """The moment turns of a split whose video can be read."""
    found = []
    for at, (turn, gold) in enumerate(zip(training.turns, training.gold, strict=True)):
        video_id = gold.video_id
        if turn.task == "moment" and gold.moment and video_id and video_id in films:
            read = text(known, [(turn.utterance, turn.language, 0)])
            related = "relation" in gold.tags
            span = (gold.moment.start, gold.moment.end)
            found.append(Question(read, video_id, *span, related, at))
    return found


class Drawn(NamedTuple):
    """A question, a scene that it is asked of, its gold moment and the scene's length in ms.

    gold: fractions of the scene, (2,).
    """

    asked: Question
    scene: Scene
    gold: NDArray[np.float32]
    length: int


class Draw:
    """Draws questions, some of them in a video that is put together anew.

    What a question without a relation asks for stays what it is if the other events change places,
    go, or are joined by one of another video. Only where relations are tagged is that known.
    """

    def __init__(self, asked: Asked, size: int = BATCH) -> None:
        """size: questions of a batch."""
        self._asked, self._films, self._size = asked.train, asked.films, size
        found = asked.found
        self._attributes = found.attributes
        self._tagged = any(each.related for each in asked.train)
        self._events = {
            name: edges
            for name in sorted(asked.films.keys() & found.scripts.keys())
            if (edges := of_events(asked.times[name], found.scripts[name])) is not None
        }
        self._names = sorted(self._events)
        unseen = [film.values for name, film in asked.films.items() if name not in found.scripts]
        self._doubt = doubts(unseen, found.attributes)
        self._times = asked.times

    def __call__(self, step: int, drawn: np.random.Generator) -> list[Drawn]:
        """A batch; nothing but `drawn` decides."""
        places = drawn.integers(len(self._asked), size=self._size)
        return [self._one(self._asked[at], drawn) for at in places]

    def _one(self, asked: Question, drawn: np.random.Generator) -> Drawn:
        film = self._films[asked.video_id]
        middle = (asked.start + asked.end) / 2
        edges = self._events.get(asked.video_id)
        if edges is not None and drawn.random() < SPLICED:
            times = self._times[asked.video_id]
            hits = [at for at, (a, b) in enumerate(edges) if times[a] <= middle <= times[b - 1]]
            if hits:
                made, where, rows = self._anew(film.rows, edges, hits[0], asked.related, drawn)
                return Drawn(asked, made, where, film.length * rows // len(film.rows))
        gold = np.array([asked.start, asked.end], np.float32) / film.length
        return Drawn(asked, film.scene, np.minimum(gold, 1), film.length)

    def _anew(
        self, rows: Rows, edges: NDArray[np.int64], gold: int, related: bool,
        drawn: np.random.Generator,
    ) -> tuple[Scene, NDArray[np.float32], int]:  # fmt: skip
        """A scene of the events in other lengths, and if not related in another order.

        Also returns the gold moment as fractions of it, and how many rows it has.
        """
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
        return made, (cuts[which] / len(everything)).astype(np.float32), len(everything)

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


def _collate(rows: Sequence[Drawn]) -> Batch:
    gold = torch.from_numpy(np.stack([each.gold for each in rows]))
    return Batch(batch([each.asked.text for each in rows]), together([r.scene for r in rows]), gold)


class _Training(pl.LightningModule):
    """Trains a grounder; finds the moments of the validation questions."""

    def __init__(self, grounder: Grounder, asked: Asked, plan: Plan) -> None:
        super().__init__()
        self.grounder, self._rate = grounder, plan.rate
        self.later, self._films = asked.val, asked.films
        self._found = MomentMetrics()
        self.figures: dict[str, float] = {}

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The head's loss."""
        return self.grounder.loss(batch)

    def validation_step(self, which: Tensor, _: int) -> None:
        """Find the moments of some validation questions, one by one, as when it runs."""
        for at in which.tolist():
            asked = self.later[at]
            film = self._films[asked.video_id]
            told = to_device(batch([asked.text]), self.device)
            scenes = to_device(together([film.scene]), self.device)
            fractions, scores = self.grounder.spans(told, scenes)
            found = spans(fractions[0].cpu().numpy(), film.length)
            kept = nms(found, scores[0].cpu().numpy().astype(np.float64), most=5)
            rows = np.zeros((1, 5, 2), np.int64)
            rows[0, : len(kept)] = found[kept]
            gold = torch.tensor([[asked.start, asked.end]], device=self.device)
            self._found.update(torch.from_numpy(rows).to(self.device), gold)

    def on_validation_epoch_end(self) -> None:
        """Log the figures."""
        figures = self._found.compute()
        self.log_dict({name: value.float() for name, value in figures.items()})
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._found.reset()

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Gradients of length 1 at most: without it the map's first steps can be too long."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
        return one_cycle(self, self._rate, DECAY)


def _fit(module: _Training, draw: Draw, config: TrainerConfig, steps: int, view: View) -> None:
    later = DataLoader(range(len(module.later)), batch_size=64) if module.later else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(draw, _collate, seed=config.seed).loader(),
        config,
        stage="grounder",
        steps=steps,
        validation=later,
        times=5,
        note=view.note,
    )
