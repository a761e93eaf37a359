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

from collections.abc import Sequence

import torch

from baselines.base import (
    About,
    Answer,
    Baseline,
    Provenance,
    Query,
    Settings,
    TrainerConfig,
    View,
)
from baselines.dialogue_context import Context, check_context
from baselines.event_models.controls import Control, controlled, permuted
from baselines.event_models.event_annotations import read, size
from baselines.event_models.matching import (
    Matcher,
    Wanted,
    laid_out,
    shown,
    texts,
    track,
)
from baselines.event_models.matching_data import named, prepared
from baselines.event_models.matching_sampler import Draw
from baselines.event_models.matching_training import STEPS, Training, fit_matcher
from baselines.event_models.query_encoder import Text, batch
from baselines.event_models.recogniser import watch
from baselines.event_models.recogniser_checkpoints import PERMUTED, labelled, opened, saved
from baselines.event_models.recogniser_training import Size, learn
from baselines.ranking import Corpus, Scores
from harness.records import CandidateUse

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "annotated_events", "train_labels"),
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2004.12832",
)


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
        names = named(training, view.validation)
        seen = watch(eyes, names | found.scripts.keys(), view, seen)
        lesson = prepared(seen, found, training, view.validation)
        torch.manual_seed(config.seed)
        context = chosen.context or ("last" if chosen.size == "small" else "all")
        module = Training(Matcher(lesson.lexicon.size, found.size), lesson, context)
        fit_matcher(module, Draw(lesson, context), config, STEPS[chosen.size], view)
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
