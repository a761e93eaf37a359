"""Dense text search: a sentence-transformers model over the videos' text; no frame is read.

Reads: utterances (`context`: the last one, all as one text, or decayed turn embeddings) and the
text fields of the corpus' videos, joined; a text that is too long is cut at its beginning. Any
checkpoint of https://github.com/UKPLab/sentence-transformers (6.x) by path or by name and revision,
with its own prompts for queries and documents if it has any; docs/checkpoints.md has commands. It
runs as it is, or as `ivcr baseline train dense_text --set checkpoint=START` trained it, by the
library's losses on video turns and their gold videos' texts. Ignores: answers, frames and, unless
`candidates=used`, the candidates. Videos without text are not ranked. A moment turn is answered
with the whole of the given video, else of the best one. Reimers and Gurevych, EMNLP 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

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
from baselines.dialogue_context import Context, check_context, readings
from baselines.encoders.resolve import locate_checkpoint
from baselines.encoders.sentence_model import load_sentence_model, save_sentence_model
from baselines.ranking import Corpus, Scores, cache_texts, unit, weighted_embedding
from baselines.retrieval_training.contrastive import training_pairs
from baselines.retrieval_training.sentence_training import (
    Loss,
    SentenceModule,
    TextPair,
    train_sentences,
)
from baselines.tokenization import join_fields
from baselines.training import checkpoints
from baselines.training.processes import is_main_process
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import CandidateUse

ABOUT = About(
    needs=("text", "checkpoint"),
    trains=True,
    train_needs=("text", "checkpoint", "train_labels"),
    train_note="it begins with a checkpoint, which --set checkpoint=START names",
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/1908.10084",
)
NAME, MODEL_FOLDER = "dense_text", "sentences"
LEAST = 2  # texts: with one there is nothing to tell apart


class DenseTextSettings(Settings, frozen=True):
    """The model, the query's context, whether to rank the candidates, and how to train.

    checkpoint: a folder of a model, a name that `hf download` has fetched, or a folder that was
    trained; in training the model to begin with. revision: the commit of a name. context: the
    utterances to search with: the last one, all, or all with earlier ones counting less; left out,
    a trained folder has its own. candidates: whether the turn's candidates are ranked too, as
    `choice`. loss: of training: `ranking` compares 32 pairs, `cached` 256 in as little memory.
    negatives: texts of other candidates that a training pair is compared with.
    """

    checkpoint: str = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    revision: str | None = None
    context: Context = "last"
    candidates: CandidateUse = "unused"
    loss: Loss = "ranking"
    negatives: int = 1


class DenseText(Baseline):
    """The 100 best videos of the corpus by cosine, ties in its order."""

    settings_type = DenseTextSettings
    _settings: DenseTextSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train the model and write it to `sentences/` in the folder, in the library's format.

        Raises WrongUsageError without labels or at context=decayed, MissingInputError if no pair's
        video has a text, and what `load_sentence_model` raises.
        """
        chosen = self._settings
        if chosen.context == "decayed":
            raise WrongUsageError(
                "context=decayed adds up embeddings of single utterances: train with context=last "
                "and run what was trained with context=decayed"
            )
        if chosen.negatives < 0:
            raise WrongUsageError(f"negatives={chosen.negatives}: expected 0 or more")
        if view.training is None:
            raise WrongUsageError(
                f"{view.folder}: expected a train split with labels to train on, found none; name "
                "a benchmark that has one"
            )
        model, key = load_sentence_model(chosen.checkpoint, chosen.revision)
        train, val = (
            text_pairs(split, chosen.context, view) if split else []
            for split in (view.training, view.validation)
        )
        if len({pair.document for pair in train}) < LEAST:
            raise MissingInputError(
                f"{view.folder}: expected {LEAST} gold videos of the train split with different "
                "texts, found fewer; import texts with --videos META"
            )
        torch.manual_seed(config.seed)
        module = SentenceModule(model, train, val, chosen.loss)
        steps = train_sentences(module, view, config, loss=chosen.loss, negatives=chosen.negatives)
        if is_main_process():
            save_sentence_model(model.eval(), config.out / MODEL_FOLDER)
        facts = {
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "start": key,
            "source": Path(chosen.checkpoint).name,
            "pairs": len(train),
            "seed": config.seed,
            "steps": steps,
        }
        if is_main_process():
            facts["sentences"] = locate_checkpoint(str(config.out / MODEL_FOLDER), None).key
        checkpoints.save(config.out, baseline=NAME, settings=chosen, weights={}, facts=facts)

    def prepare(self, view: View) -> None:
        """Load the model and embed the corpus' texts.

        Raises WrongUsageError if the history does not show the context, EnvironmentFailure if the
        checkpoint is absent or damaged, MissingInputError if no video has a text.
        """
        self._load()
        check_context(self._context, view.history)
        self._embed = cache_texts(partial(embed_query, self._model))
        self._corpus = Corpus(view)
        texts = {video_id: join_fields(view.videos[video_id].text) for video_id in view.corpus}
        self._readable = [video_id for video_id in view.corpus if texts[video_id].strip()]
        if view.corpus and not self._readable:
            raise MissingInputError(
                f"{view.folder}: no video of the corpus has a text; import one with --videos META"
            )
        rows = self._model.encode_document(
            [texts[video_id] for video_id in self._readable], show_progress_bar=False
        )
        self._videos = unit(np.asarray(rows, np.float32))  # (readable, d)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def provenance(self) -> Provenance:
        """The checkpoint by its hash or revision."""
        return Provenance(
            parameters=sum(weight.numel() for weight in self._model.parameters()),
            frames_per_video=0,
            training_data=self._training_data,
            annotations="gold videos" if self._details else None,
            details={"checkpoint": self._key, **self._details},
        )

    def _load(self) -> None:
        """Load a published checkpoint, or a trained folder with the context of its training."""
        chosen = self._settings
        self._context = chosen.context
        folder = Path(chosen.checkpoint)
        if not (folder / checkpoints.ABOUT_WEIGHTS).is_file():
            self._model, self._key = load_sentence_model(chosen.checkpoint, chosen.revision)
            self._details: dict[str, str] = {}
            self._training_data: tuple[str, ...] = (f"pre-training of {folder.name}",)
            return
        trained = checkpoints.load(folder, baseline=NAME)
        self._model, key = load_sentence_model(str(folder / MODEL_FOLDER), chosen.revision)
        if key != trained.facts["sentences"]:
            raise EnvironmentFailure(
                f"{folder / MODEL_FOLDER}: is not the model that was trained here; copy the folder "
                "again, or train again"
            )
        if "context" not in self.given:
            self._context = trained.settings["context"]
        self._key = trained.sha256
        self._details = {"sentences": key, "context": self._context}
        facts = trained.facts
        self._training_data = (f"pre-training of {facts['source']}", facts["benchmark"])

    def scores(self, query: Query) -> Scores:
        """Cosines over the corpus."""
        text = weighted_embedding(self._embed, readings(query, self._context))
        return self._corpus.over_corpus(self._readable, self._videos @ text)


def text_pairs(labels: LabelledSplit, context: Context, view: View) -> list[TextPair]:
    """The video turns of a split whose gold video has a text, with the texts of other candidates.

    context: `last` or `all`. A rival of the same text is none.
    """
    texts = {video_id: join_fields(video.text) for video_id, video in view.videos.items()}
    pairs = []
    for pair in training_pairs(labels, context):
        own = texts[pair.video_id]
        others = (texts[video_id] for video_id in (pair.foil, *pair.rivals) if video_id is not None)
        rivals = tuple(dict.fromkeys(text for text in others if text.strip() and text != own))
        if own.strip():
            pairs.append(TextPair(pair.readings[0].text, own, rivals))
    return pairs


def embed_query(model: SentenceTransformer, text: str) -> NDArray[np.float32]:
    """The unit embedding of one query: shape (d,).

    One text at a time, so that no text is padded to another's length.
    """
    row = model.encode_query([text], show_progress_bar=False)
    return unit(np.asarray(row, np.float32).reshape(-1))
