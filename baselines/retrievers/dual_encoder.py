"""A dual encoder trained from scratch on the train split: pixels in, no word of the videos read.

A recogniser (baselines/event_models/recogniser.py) says what each frame shows; what a question
looks for is compared with a video's segments (baselines/event_models/matching.py), each side
encoded alone, so that search is a matrix product. Trained with the batch's other videos as rivals
(InfoNCE, https://arxiv.org/abs/1807.03748), and each video against its foil where the labels name
one; of several processes each has the rivals of its own share, so two do not train as one does.
Reads: frames (8 a second), utterances (`context`), what is seen in the video that the history
showed last. Ignores: the videos' text, answers, sound. Needs train/events.jsonl to be trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import (
    About,
    Answer,
    Baseline,
    LabelledSplit,
    MissingInputError,
    Provenance,
    Query,
    Settings,
    TrainerConfig,
    View,
)
from baselines.dialogue_context import Context, check_context, told_by_reference
from baselines.event_models import lexicon
from baselines.event_models.event_annotations import Annotations, Attribute, read, size
from baselines.event_models.event_segments import doubts, gate, of_events, pooled, unsure
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import (
    Matcher,
    Track,
    Videos,
    Wanted,
    laid_out,
    shown,
    texts,
    track,
)
from baselines.event_models.query_encoder import Text, Texts, batch
from baselines.event_models.recogniser import Seen, watch
from baselines.event_models.recogniser_checkpoints import PERMUTED, labelled, opened, saved
from baselines.event_models.recogniser_training import Size, learn
from baselines.ranking import Corpus, Scores
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle, to_device
from baselines.training.metrics import RetrievalMetrics
from harness.records import CONCATENATION, CandidateUse

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "annotated_events", "train_labels"),
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2004.12832",
)

BATCH = 48
RATE, DECAY = 3e-3, 1e-2
STEPS = {"small": 200, "full": 1200}
IN_CONTEXT = 0.8  # share of training queries that are read with the dialogue before them
STRETCH = 0.15  # deviation of a duration's logarithm in training

Control = Literal[
    "none", "videos_permuted", "frames_shuffled", "events_shuffled", "text_alone", "labels_permuted"
]


class DualEncoderSettings(Settings, frozen=True):
    """Which weights, what to read, how much to train, and the controls.

    checkpoint: the trained folder, to run with. context: left out, it is `all` in training (`last`
    where size is small), and afterwards what was trained, as far as the history shows it.
    recogniser: a trained folder whose recogniser is taken instead of training one. control: what
    is broken on purpose, to see what a figure rests on; labels_permuted in training and when it
    runs, the others when it runs.
    """

    checkpoint: str = ""
    context: Context | None = None
    candidates: CandidateUse = "unused"
    size: Size = "full"
    recogniser: str = ""
    control: Control = "none"


class DualEncoder(Baseline):
    """The 100 best videos of the corpus by score; videos that cannot be read are not ranked."""

    settings_type = DualEncoderSettings
    _settings: DualEncoderSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train recogniser and matcher, and write the checkpoint folder."""
        chosen = self._settings
        training = labelled(view, chosen.control)
        found = read(view.folder, "dual_encoder")
        if chosen.control == PERMUTED:
            found, training = permuted(found, training, config.seed)
        eyes, seen = learn(view, config, found, chosen.size, chosen.recogniser)
        named = _named(training, view.validation)
        seen = watch(eyes, named | found.scripts.keys(), view, seen)
        lesson = _prepared(seen, found, training, view.validation)
        torch.manual_seed(config.seed)
        context = chosen.context or ("last" if chosen.size == "small" else "all")
        module = _Training(Matcher(lesson.lexicon.size, found.size), lesson, context)
        _fit(module, _Draw(lesson, context), config, STEPS[chosen.size], view)
        saved(
            "dual_encoder", chosen, view, config, eyes, module.matcher, lesson.lexicon,
            context=context, validation=module.figures,
        )  # fmt: skip

    @torch.inference_mode()
    def prepare(self, view: View) -> None:
        """Load the trained folder and watch the corpus' videos.

        Raises WrongUsageError if no folder is named or the history cannot give the context,
        EnvironmentFailure if the folder is absent or damaged, MissingInputError if no video can be
        read.
        """
        chosen = self._settings
        if chosen.context is not None:
            check_context(chosen.context, view.history)
        kept = opened("dual_encoder", chosen, view)
        trained: Context = "last" if view.history == "none" else kept.facts["context"]
        self._context = chosen.context or trained
        self._lexicon, features, attributes = kept.lexicon, kept.features, kept.eyes.attributes
        self._matcher = Matcher(self._lexicon.size, size(attributes)).eval()
        self._matcher.load_state_dict(kept.weights)
        self._corpus = Corpus(view)
        self._seen = self._corpus.readable(features)
        tracks = {
            video_id: track(features[video_id], features.times[video_id], attributes)
            for video_id in self._seen
        }
        self._shown = {v: shown(each, attributes) for v, each in tracks.items()}
        tracks = controlled(tracks, chosen.control, view, self._lexicon)
        self._videos = laid_out([tracks[video_id] for video_id in self._seen])
        self._provenance = kept.provenance

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self._scores) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder by its hash, how it was trained, the frames by their hashes."""
        return self._provenance

    @torch.inference_mode()
    def _scores(self, query: Query) -> Scores:
        """Scores over the corpus."""
        told = [(batch([each]), weight) for each, weight in self._texts(query)]
        parts = [[weight * part for part in self._matcher.wanted(texts)] for texts, weight in told]
        wanted = Wanted(*(torch.stack(part).sum(0) for part in zip(*parts, strict=True)))
        scores = self._matcher.scores(wanted, self._videos)[0].numpy()
        return self._corpus.over_corpus(self._seen, scores)

    def _texts(self, query: Query) -> list[tuple[Text, float]]:
        return texts(self._lexicon, query, self._context, self._shown)


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


class Pair(NamedTuple):
    """A training query: its text without and with context, gold and foil, whether order matters."""

    alone: Text
    whole: Text
    gold: str
    foil: str | None
    ordered: bool


class Lesson(NamedTuple):
    """What is trained on.

    tracks: of all videos; events: of annotated ones, one segment an event; doubt: by value how
    often a sound recogniser errs about such.
    """

    lexicon: Lexicon
    train: list[Pair]
    val: list[Pair]
    tracks: dict[str, Track]
    events: dict[str, Track]
    attributes: tuple[Attribute, ...]
    doubt: NDArray[np.float64]


def _named(training: LabelledSplit, validation: LabelledSplit | None) -> set[str]:
    """The videos of all golds and foils."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    named = [name for gold in golds for name in (gold.video_id, gold.foil)]
    return {name for name in named if name is not None}


def _prepared(
    seen: Seen, found: Annotations, training: LabelledSplit, validation: LabelledSplit | None
) -> Lesson:
    attributes = found.attributes
    tracks = {name: track(seen.rows[name], seen.times[name], attributes) for name in seen.rows}
    events = _annotated(seen, found)
    known = lexicon.of(training, found)
    whole = {name: shown(each, attributes) for name, each in tracks.items()}
    unseen = [tracks[name].values for name in tracks if name not in found.scripts]
    doubt = doubts(unseen, attributes)
    train = _pairs(training, known, whole)
    if not train:
        raise MissingInputError("no video turn of the train split has a video that can be read")
    val = _pairs(validation, known, whole, openings=False) if validation else []
    return Lesson(known, train, val, tracks, events, attributes, doubt)


def _annotated(seen: Seen, found: Annotations) -> dict[str, Track]:
    """Tracks with one segment for each annotated event."""
    tracks = {}
    for name in sorted(found.scripts.keys() & seen.rows.keys()):
        script = found.scripts[name]
        edges = of_events(seen.times[name], script)
        if edges is not None:
            lengths = np.array([event.end - event.start for event in script.events]) / 1000
            rows = gate(seen.rows[name], found.attributes)
            tracks[name] = Track(pooled(rows, *edges.T), lengths)
    return tracks


def _pairs(
    training: LabelledSplit,
    known: Lexicon,
    whole: Mapping[str, Sequence[int]],
    *,
    openings: bool = True,
) -> list[Pair]:
    """Video turns, and moment turns that describe their video too, whose video can be read."""
    found: list[Pair] = []
    told = told_by_reference(training)
    for turn, gold, query in zip(training.turns, training.gold, told, strict=True):
        opens = turn.task == "moment" and (turn.turn == 1 or turn.type == CONCATENATION)
        asks = turn.task == "video" or (openings and opens)
        if asks and gold.video_id is not None and gold.video_id in whole:
            [(alone, _)] = texts(known, query, "last", whole)
            [(everything, _)] = texts(known, query, "all", whole)
            foil = gold.foil if gold.foil in whole else None
            found.append(Pair(alone, everything, gold.video_id, foil, "order" in gold.tags))
    return found


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


class _Draw:
    """Draws batches: half of the queries have a foil, where there are such."""

    def __init__(self, lesson: Lesson, context: Context) -> None:
        self._lesson = lesson
        self._in_context = 0.0 if context == "last" else IN_CONTEXT
        usable = [pair for pair in lesson.train if pair.foil]
        self._foiled = [p for p in usable if {p.gold, p.foil or ""} <= lesson.events.keys()]
        self._others = lesson.train
        self._names = sorted(lesson.events) or sorted(lesson.tracks)

    def __call__(self, step: int, drawn: np.random.Generator) -> list[Row]:
        half = BATCH // 2 if self._foiled else 0
        rows = [
            self._foil(self._foiled[at], drawn)
            for at in drawn.integers(max(1, len(self._foiled)), size=half)
        ]
        rows += [
            self._plain(self._others[at], drawn)
            for at in drawn.integers(len(self._others), size=BATCH - half)
        ]
        return rows

    def _foil(self, pair: Pair, drawn: np.random.Generator) -> Row:
        events = self._lesson.events
        gold, foil = events[pair.gold], events[pair.foil or ""]
        if len(gold.lengths) != len(foil.lengths):
            return self._plain(pair, drawn)
        both = [gold, foil]
        if not pair.ordered and drawn.random() < 0.5:
            order = drawn.permutation(len(gold.lengths))
            both = [each.taken(order) for each in both]
        if drawn.random() < 0.3:
            both = self._distracted(both, drawn)
        stretch = np.exp(STRETCH * drawn.standard_normal(len(both[0].lengths)))
        both = [each._replace(lengths=each.lengths * stretch) for each in both]
        one, other = (self._noisy(each, drawn) for each in both)
        return Row(self._text(pair, drawn), pair.gold, one, pair.foil, other)

    def _plain(self, pair: Pair, drawn: np.random.Generator) -> Row:
        source = self._lesson.events if drawn.random() < 0.5 else self._lesson.tracks
        found = source.get(pair.gold, self._lesson.tracks[pair.gold])
        stretch = np.exp(STRETCH / 3 * drawn.standard_normal(len(found.lengths)))
        found = self._noisy(found._replace(lengths=found.lengths * stretch), drawn)
        return Row(self._text(pair, drawn), pair.gold, found, None, None)

    def _text(self, pair: Pair, drawn: np.random.Generator) -> Text:
        return pair.whole if drawn.random() < self._in_context else pair.alone

    def _distracted(self, both: list[Track], drawn: np.random.Generator) -> list[Track]:
        """The tracks with an event of another video, at the same place in each."""
        other = self._lesson.events[str(drawn.choice(self._names))]
        event, place = drawn.integers(len(other.lengths)), drawn.integers(len(both[0].lengths) + 1)
        return [
            Track(
                np.insert(each.values, place, other.values[event], axis=0),
                np.insert(each.lengths, place, other.lengths[event]),
            )
            for each in both
        ]

    def _noisy(self, each: Track, drawn: np.random.Generator) -> Track:
        lesson = self._lesson
        return each._replace(values=unsure(each.values, lesson.attributes, lesson.doubt, drawn))


class Row(NamedTuple):
    """One query of a batch with its gold video, and its foil if it has one."""

    text: Text
    gold: str
    shows: Track
    foil: str | None
    foil_shows: Track | None


class Rows(NamedTuple):
    """A batch: texts, their golds' videos and then the foils', which video each is, whose foil."""

    texts: Texts
    videos: Videos
    numbers: Tensor
    foiled: Tensor


def _collate(rows: Sequence[Row]) -> Rows:
    foiled = [at for at, row in enumerate(rows) if row.foil_shows is not None]
    names = [row.gold for row in rows] + [str(rows[at].foil) for at in foiled]
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    tracks = [row.shows for row in rows]
    tracks += [each for row in rows if (each := row.foil_shows) is not None]
    return Rows(
        batch([row.text for row in rows]),
        laid_out(tracks),
        torch.tensor([number[name] for name in names]),
        torch.tensor(foiled, dtype=torch.int64),
    )


class _Training(pl.LightningModule):
    """Trains the matcher; ranks the validation videos for the validation queries."""

    def __init__(self, matcher: Matcher, lesson: Lesson, context: Context) -> None:
        super().__init__()
        self.matcher, self._context = matcher, context
        self.val = lesson.val
        self._names = sorted({pair.gold for pair in lesson.val})
        if self._names:
            self._videos = laid_out([lesson.tracks[name] for name in self._names])
        self._found = RetrievalMetrics()
        self.figures: dict[str, float] = {}

    def training_step(self, rows: Rows, _: int) -> Tensor:
        """Find the gold among the batch's videos, and put it before its foil."""
        scores = self.matcher.scores(self.matcher.wanted(rows.texts), rows.videos)
        own = torch.arange(len(scores), device=scores.device)
        same = rows.numbers[None] == rows.numbers[: len(scores), None]
        same[own, own] = False
        loss = nn.functional.cross_entropy(scores.masked_fill(same, -1e4), own)
        if len(rows.foiled):
            foils = len(scores) + torch.arange(len(rows.foiled), device=scores.device)
            ahead = scores[rows.foiled, rows.foiled] - scores[rows.foiled, foils]
            loss = loss + nn.functional.softplus(-ahead).mean()
        return loss

    def validation_step(self, which: Tensor, _: int) -> None:
        """Rank all validation videos for some of the validation queries."""
        pairs = [self.val[at] for at in which.tolist()]
        read = [pair.alone if self._context == "last" else pair.whole for pair in pairs]
        wanted = self.matcher.wanted(to_device(batch(read), self.device))
        scores = self.matcher.scores(wanted, to_device(self._videos, self.device))
        gold = [self._names.index(pair.gold) for pair in pairs]
        self._found.update(scores, torch.tensor(gold, device=self.device))

    def on_validation_epoch_end(self) -> None:
        """Log R@1 and the rest."""
        figures = self._found.compute()
        self.log_dict(figures)
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._found.reset()

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
        return one_cycle(self, RATE, DECAY)


def _fit(module: _Training, draw: _Draw, config: TrainerConfig, steps: int, view: View) -> None:
    val = DataLoader(range(len(module.val)), batch_size=64) if module.val else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(draw, _collate, seed=config.seed).loader(),
        config,
        stage="matcher",
        steps=steps,
        validation=val,
        times=5,
        note=view.note,
    )
