"""A dual encoder over frames, trained on annotated events, which only IVCR-Mini has.

A recogniser (baselines/event_models/recogniser.py) predicts what each frame shows. A matcher
(baselines/event_models/matching.py) compares a query with a video's segments, each side encoded
alone, so that search is a matrix product. Training: baselines/event_models/matching_training.py.
Reads: frames (8 per second), utterances (`context`), and what the recogniser finds in the video
that the history showed last. Ignores: the videos' text, answers, sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

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
from baselines.event_models.controls import (
    LABELS_PERMUTED,
    MatchingControl,
    apply_control,
    permute_labels,
    training_split,
)
from baselines.event_models.event_annotations import read_annotations, value_count
from baselines.event_models.matching import (
    Matcher,
    QueryWeights,
    collate_videos,
    global_values,
    segment_features,
    tokenize_query,
)
from baselines.event_models.matching_data import labelled_videos, prepare_data
from baselines.event_models.matching_training import train_matcher
from baselines.event_models.query_encoder import collate_texts
from baselines.event_models.recogniser import recognise_videos
from baselines.event_models.recogniser_checkpoints import load_checkpoint, save_checkpoint
from baselines.event_models.recogniser_training import Size, train_recogniser
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

    checkpoint: the trained folder to run with. context: what a query reads of the dialogue; left
    out, training takes `all` (`last` if size is small), and a run takes what was trained, as far as
    the history shows it. candidates: whether the turn's candidates are ranked too, as `choice`.
    size: how much is trained. recogniser: a trained folder whose recogniser is used instead of
    training one. control: what is broken on purpose, to measure what a figure rests on;
    labels_permuted is named in training and in running, the others in running.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "recogniser")

    checkpoint: str = ""
    context: Context | None = None
    candidates: CandidateUse = "unused"
    size: Size = "full"
    recogniser: str = ""
    control: MatchingControl = "none"


class DualEncoder(Baseline):
    """The 100 best videos of the corpus by score; videos that cannot be read are not ranked."""

    settings_type = DualEncoderSettings
    _settings: DualEncoderSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train recogniser and matcher, and write the checkpoint folder."""
        settings = self._settings
        training = training_split(view, settings.control)
        annotations = read_annotations(view.folder, "dual_encoder")
        if settings.control == LABELS_PERMUTED:
            annotations, training = permute_labels(annotations, training, config.seed)
        recogniser, features = train_recogniser(
            view, config, annotations, settings.size, settings.recogniser
        )
        names = labelled_videos(training, view.validation) | annotations.videos.keys()
        features = recognise_videos(recogniser, names, view, features)
        data = prepare_data(features, annotations, training, view.validation)
        context = settings.context or ("last" if settings.size == "small" else "all")
        module = train_matcher(data, context, view, config, settings.size)
        save_checkpoint(
            "dual_encoder", settings, view, config, recogniser, module.matcher, data.lexicon,
            context=context, validation=module.figures,
        )  # fmt: skip

    @torch.inference_mode()
    def prepare(self, view: View) -> None:
        """Load the trained folder and encode the corpus' videos.

        Raises WrongUsageError if no folder is named or the history cannot give the context,
        EnvironmentFailure if the folder is absent or damaged, MissingInputError if no video can be
        read.
        """
        settings = self._settings
        if settings.context is not None:
            check_context(settings.context, view.history)
        trained = load_checkpoint("dual_encoder", settings, view)
        default: Context = "last" if view.history == "none" else trained.facts["context"]
        self._context = settings.context or default
        self._lexicon, features = trained.lexicon, trained.features
        attributes = trained.recogniser.attributes
        self._matcher = Matcher(self._lexicon.size, value_count(attributes)).eval()
        self._matcher.load_state_dict(trained.weights)
        self._corpus = Corpus(view)
        self._readable = self._corpus.readable(features)
        videos = {
            video_id: segment_features(features[video_id], features.times[video_id], attributes)
            for video_id in self._readable
        }
        self._video_values = {v: global_values(each, attributes) for v, each in videos.items()}
        videos = apply_control(videos, settings.control, view, self._lexicon)
        self._videos = collate_videos([videos[video_id] for video_id in self._readable])
        self._provenance = trained.provenance

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def provenance(self) -> Provenance:
        """The hash of the trained folder, how it was trained, and the hashes of the frames."""
        return self._provenance

    @torch.inference_mode()
    def scores(self, query: Query) -> Scores:
        """Scores over the corpus."""
        texts = tokenize_query(self._lexicon, query, self._context, self._video_values)
        parts = [
            [share * part for part in self._matcher.query_weights(collate_texts([text]))]
            for text, share in texts
        ]
        weights = QueryWeights(*(torch.stack(part).sum(0) for part in zip(*parts, strict=True)))
        scores = self._matcher.scores(weights, self._videos)[0].numpy()
        return self._corpus.over_corpus(self._readable, scores)
