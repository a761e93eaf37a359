"""InterLLaVA's tiny configuration from end to end: begun with a dual encoder, trained, asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from msgspec.structs import replace
from torch import nn
from torch.utils.data import DataLoader

from baselines.base import LabelledSplit, MissingInputError, Query, TrainerConfig, View
from baselines.dialogue_context import told_by_reference
from baselines.event_models.controls import training_split
from baselines.event_models.event_annotations import EventAnnotations, read_annotations, value_count
from baselines.event_models.event_segments import error_rates
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import (
    Matcher,
    SegmentFeatures,
    global_values,
    segment_features,
    tokenize_query,
)
from baselines.event_models.query_encoder import TokenizedText, tokenize_turns
from baselines.event_models.recogniser import FrameFeatures, recognise_videos
from baselines.event_models.recogniser_checkpoints import (
    load_checkpoint,
    load_initialisation,
    save_checkpoint,
)
from baselines.event_models.recogniser_training import Size
from baselines.interllava import prompts, tokenizer
from baselines.interllava.model import adapted
from baselines.interllava.queries import Question
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.tiny_model import Eyes, Glimpse, Relevance, TinyNet, glimpses
from baselines.interllava.tiny_training import (
    DECAY,
    SIZE,
    Collate,
    Example,
    Examples,
    Lesson,
    Reading,
    Search,
    Seeing,
    with_rivals,
)
from baselines.interllava.training import Batch, LossConfig, Teaching, replies
from baselines.localisation.cross_modal_encoder import Grounder
from baselines.localisation.grounding_data import GroundingData, moment_videos
from baselines.localisation.grounding_sampler import GroundingSampler
from baselines.localisation.grounding_training import GroundingSchedule, train_grounder
from baselines.localisation.step_features import VideoFeatures, video_features
from baselines.ranking import Corpus
from baselines.training.batches import StepBatches
from baselines.training.fit import fit
from baselines.vlm.parsing import NO_VIDEO
from harness.chat.messages import Reply

READER = GroundingSchedule(rate=1e-3, steps={"small": 200, "full": 1200})
STEPS: dict[str, dict[Size, int]] = {
    "words": {"small": 150, "full": 700},
    "tokens": {"small": 100, "full": 300},
    "assistant": {"small": 40, "full": 400},
}
RATE = 2e-3
REMARK = (
    "Its tiny configuration passes on, in words, the ranking of the dual encoder that it began "
    "with; `ivcr compare` with that one shows that it adds nothing to it."
)
LATER = 96  # validation turns of each kind that are answered while it trains


class Whole(nn.Module):
    """All networks that a trained folder has beside the recogniser."""

    def __init__(self, known: Lexicon, values: int, tokens: Sequence[str]) -> None:
        """known: the lexicon of questions; values: of all attributes; tokens: the vocabulary."""
        super().__init__()
        self.words = tokenizer.small(tokens)
        self.matcher = Matcher(known.size, values)
        self.grounder = Grounder(known.size, values, Relevance())
        self.tiny = TinyNet(values, self.words)

    def adapt(self) -> None:
        """Give the language model its adapters, and freeze the rest of it."""
        self.tiny.net.language = adapted(self.tiny.net.language, ())

    def eyes(self) -> Eyes:
        """What it looks with, which learns no more."""
        return Eyes(self.words, self.matcher, self.grounder)


class Material(NamedTuple):
    """What the videos and turns of both labelled splits are to the networks."""

    view: View
    training: LabelledSplit
    asked: GroundingData
    tracks: dict[str, SegmentFeatures]
    clips: dict[str, Glimpse]

    def searches(self, training: LabelledSplit) -> Iterator[Search]:
        """The video turns of a split whose gold video can be read."""
        attributes = self.asked.annotations.attributes
        whole = {name: global_values(each, attributes) for name, each in self.tracks.items()}
        for query, gold in zip(told_by_reference(training), training.gold, strict=True):
            if query.task == "video" and gold.video_id is not None and gold.video_id in self.clips:
                [(read_, _)] = tokenize_query(self.asked.lexicon, query, "all", whole)
                listed = tuple(name for name in query.candidates if name in self.clips)
                foil = gold.foil if gold.foil in self.clips else None
                yield Search(query, read_, gold.video_id, foil, listed)


def learnt(chosen: InterLLaVASettings, view: View, config: TrainerConfig, start: Path) -> None:
    """Train, beginning with the dual encoder in the folder `start`; write `config.out`.

    Raises WrongUsageError or EnvironmentFailure if `start` holds none of this benchmark,
    MissingInputError if the benchmark lacks what is learnt from.
    """
    training = training_split(view, "none")
    found = read_annotations(view.folder, "interllava")
    first = load_initialisation(start, "dual_encoder", found.attributes)
    material = _material(view, training, found, first.lexicon, first.recogniser)
    torch.manual_seed(config.seed)
    vocabulary = _vocabulary(training, view)
    whole = Whole(first.lexicon, found.value_count, vocabulary)
    whole.matcher.load_state_dict(first.weights)
    reader = train_grounder(material.asked, Relevance, view, config, READER, chosen.size)
    whole.grounder.load_state_dict(reader.grounder.state_dict())
    lesson = _lesson(whole, material)
    collate = Collate(whole.words, lesson.eyes)
    _apart(whole, lesson, collate, chosen, config, view.note)
    whole.adapt()
    figures = _together(whole, lesson, collate, material, chosen, config)
    save_checkpoint(
        "interllava", chosen, view, config, first.recogniser, whole, first.lexicon,
        vocabulary=vocabulary, dual_encoder=first.sha256,
        validation={"reader": reader.figures, "assistant": figures},
    )  # fmt: skip


def _material(
    view: View, training: LabelledSplit, found: EventAnnotations, known: Lexicon, eyes: Any
) -> Material:
    splits = [training, *([view.validation] if view.validation else [])]
    wanted = {
        *moment_videos(training, view.validation, found),
        *(n for s in splits for n in _searched(s)),
    }
    seen = recognise_videos(eyes, sorted(wanted), view, FrameFeatures({}, {}))
    asked = GroundingData.of_splits(training, view.validation, known, seen, found)
    tracks = {
        name: segment_features(seen.rows[name], seen.times[name], found.attributes)
        for name in seen.rows
    }
    return Material(view, training, asked, tracks, glimpses(asked.videos, tracks, found.attributes))


def _searched(training: LabelledSplit) -> set[str]:
    """The videos that turns name: golds, foils, candidates."""
    golds = {name for gold in training.gold for name in (gold.video_id, gold.foil) if name}
    return golds | {name for each in training.candidates.values() for name in each}


def _vocabulary(training: LabelledSplit, view: View) -> list[str]:
    """The tokens of the train split's texts, and of the prompts' own."""
    told = [*(turn.utterance for turn in training.turns), *(gold.answer for gold in training.gold)]
    longest = max(video.duration or 0 for video in view.videos.values())
    return tokenizer.vocabulary([*told, *[prompts.FIXED] * tokenizer.LEAST], longest)


def _lesson(whole: Whole, material: Material) -> Lesson:
    training, found = material.training, material.asked.annotations
    eyes, queries = whole.eyes(), told_by_reference(material.training)
    unseen = [each.values for name, each in material.tracks.items() if name not in found.videos]
    answers: dict[Any, set[str]] = {}
    for turn, gold in zip(training.turns, training.gold, strict=True):
        if prompts.names_what_is_asked(turn.task, gold.answer):
            answers.setdefault((turn.language, turn.task), set()).add(gold.answer)
    searches = list(material.searches(training))
    if not searches:
        raise MissingInputError("no video turn of the train split has a video that can be read")
    talks = [
        (query, gold.answer)
        for query, gold in zip(queries, training.gold, strict=True)
        if query.task == "chat" and gold.answer
    ]
    return Lesson(
        whole.words, eyes, material.clips, found.attributes, error_rates(unseen, found.attributes),
        with_rivals(searches, eyes, material.clips), GroundingSampler(material.asked, SIZE),
        queries, talks, {key: sorted(told) for key, told in answers.items()},
    )  # fmt: skip


def _apart(
    whole: Whole, lesson: Lesson, collate: Collate, chosen: InterLLaVASettings,
    config: TrainerConfig, note: Callable[[str], None],
) -> None:  # fmt: skip
    """The first two stages: the language model, and what leads to tokens."""
    draws = {"words": Examples(lesson), "tokens": Examples(lesson, talking=False)}
    modules = {
        "words": Reading(whole.tiny, whole.words, chosen.losses),
        "tokens": Seeing(whole.tiny),
    }
    for stage, module in modules.items():
        loader = StepBatches(draws[stage], collate, seed=config.seed).loader()
        fit(module, loader, config, stage=stage, steps=STEPS[stage][chosen.size], note=note)


def _together(
    whole: Whole, lesson: Lesson, collate: Collate, material: Material, chosen: InterLLaVASettings,
    config: TrainerConfig,
) -> dict[str, float]:  # fmt: skip
    """The third stage; returns the figures of the last validation."""
    later, gold = _later(material, collate)
    taught = LossConfig(chosen.losses, chosen.weight, RATE, DECAY)
    module = Teaching(whole.tiny, whole.words, taught, later, gold)
    steps = STEPS["assistant"][chosen.size]
    fit(
        module,
        StepBatches(Examples(lesson), collate, seed=config.seed).loader(),
        config,
        stage="assistant",
        steps=steps,
        validation=DataLoader(range(len(later)), batch_size=4) if later else None,  # type: ignore[arg-type]
        times=3,
        note=material.view.note,
    )
    return module.figures


def _later(
    material: Material, collate: Collate
) -> tuple[list[Callable[[], Batch]], list[list[Any]]]:
    """Validation turns as prompts, and what is right: numbers, spans in ms."""
    validation = material.view.validation
    if validation is None:
        return [], []
    told = told_by_reference(validation)
    chosen: list[tuple[Example, Any]] = []
    for each in material.searches(validation):
        if each.gold in each.listed:
            seen = tuple(material.clips[name] for name in each.listed)
            number = each.listed.index(each.gold) + 1
            chosen.append((Example(each.query, None, each.text, seen), number))
    grounded_: list[tuple[Example, Any]] = []
    for question in material.asked.val:
        film = material.asked.videos[question.video_id]
        example = _sought(told[question.turn], question.text, film, 1)
        grounded_.append((example, (question.start, question.end)))
    parts = [
        kind[at : at + SIZE]
        for kind in (chosen[:LATER], grounded_[:LATER])
        for at in range(0, len(kind), SIZE)
    ]

    def prompt(part: list[tuple[Example, Any]]) -> Batch:
        return collate([one for one, _ in part])

    return [partial(prompt, part) for part in parts], [[gold for _, gold in part] for part in parts]


def _sought(query: Query, read: TokenizedText, film: VideoFeatures, number: int) -> Example:
    """A moment turn to be answered, in the video of that number."""
    return Example(query, None, read, scene=film.steps, length=film.length, number=number)


class TinySystem:
    """A trained folder, ready to be asked, one question after the other."""

    @torch.inference_mode()
    def __init__(self, chosen: InterLLaVASettings, view: View) -> None:
        """Load the folder and watch the corpus' videos.

        Raises WrongUsageError if no folder is named, EnvironmentFailure if it is absent or damaged,
        MissingInputError if no video can be read.
        """
        kept = load_checkpoint("interllava", chosen, view)
        attributes, features, self._known = kept.recogniser.attributes, kept.features, kept.lexicon
        whole = Whole(self._known, value_count(attributes), kept.facts["vocabulary"])
        whole.adapt()
        whole.load_state_dict(kept.weights)
        self._whole = whole.eval()
        self._collate = Collate(whole.words, whole.eyes())
        names = Corpus(view).readable(features)
        tracks = {n: segment_features(features[n], features.times[n], attributes) for n in names}
        self._shown = {name: global_values(each, attributes) for name, each in tracks.items()}
        films = video_features(features, features.times, attributes)
        if chosen.control == "videos_permuted":
            order = np.random.default_rng(view.seed).permutation(len(names))
            others = {name: names[at] for name, at in zip(names, order, strict=True)}
            tracks = {name: tracks[other] for name, other in others.items()}
            films = {name: films[other] for name, other in others.items()}
        self._films, self._clips = films, glimpses(films, tracks, attributes)
        self._last = view.history == "none"
        self.provenance = replace(kept.provenance, remark=REMARK)

    def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """A reply to each; it depends on its question alone."""
        return [self._reply(each) for each in questions]

    @torch.inference_mode()
    def _reply(self, asked: Question) -> Reply:
        example = self._example(asked)
        if example is None:
            return Reply(why=NO_VIDEO)
        batch = self._collate([example])
        [said] = replies(self._whole.tiny, self._whole.words, batch)
        return Reply(
            said.strip(), None, batch.rows.ids.shape[1], len(self._whole.words.told(said).ids)
        )

    def _example(self, asked: Question) -> Example | None:
        """What is asked, with what can be seen; None if that is nothing."""
        query = asked.query
        if asked.kind == "chat":
            return Example(query)
        if asked.kind == "video":
            at = [n for n, name in enumerate(query.candidates, start=1) if name in self._clips]
            seen = tuple(self._clips[query.candidates[number - 1]] for number in at)
            return Example(query, None, self._text(query), seen, tuple(at)) if at else None
        film = self._films.get(asked.video_id or "")
        if film is None:
            return None
        told = tokenize_turns(self._known, [(query.utterance, query.language, 0)])
        listed = asked.video_id in query.candidates
        number = query.candidates.index(asked.video_id) + 1 if listed else 1
        return _sought(query, told, film, number)

    def _text(self, query: Query) -> TokenizedText:
        context = "last" if self._last else "all"
        [(told, _)] = tokenize_query(self._known, query, context, self._shown)  # type: ignore[arg-type]
        return told
