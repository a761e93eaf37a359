"""Dense text search: a sentence-transformers model over the videos' text; no frame is read.

Reads: utterances (`context`: the last one, all as one text, or decayed turn embeddings) and the
text fields of the corpus' videos, joined; a text that is too long is cut at its beginning. Any
checkpoint of https://github.com/UKPLab/sentence-transformers (6.x) by path or by name and revision,
with its own prompts for queries and documents if it has any; docs/checkpoints.md has commands.
Ignores: answers, frames and, unless `candidates=used`, the candidates. Trains nothing. Videos
without text are not ranked. A moment turn is answered with the whole of the given video, else of
the best one.
Reimers and Gurevych, EMNLP 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from baselines.base import (
    About,
    Answer,
    Baseline,
    MissingInputError,
    Provenance,
    Query,
    Settings,
    View,
)
from baselines.dialogue_context import Context, check_context, readings
from baselines.encoders.sentence_model import load_sentence_model
from baselines.ranking import Corpus, Scores, cache_texts, unit, weighted_embedding
from baselines.tokenization import join_fields
from harness.records import CandidateUse

ABOUT = About(
    needs=("text", "checkpoint"), languages=("en", "zh"), paper="https://arxiv.org/abs/1908.10084"
)


class DenseTextSettings(Settings, frozen=True):
    """The model, the query's context, and whether to rank the turn's candidates too.

    checkpoint: a folder, or a name that `hf download` has fetched. revision: the commit of a name.
    context: the utterances to search with: the last one, all, or all with earlier ones counting
    less. candidates: whether the turn's candidates are ranked too, as `choice`.
    """

    checkpoint: str = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    revision: str | None = None
    context: Context = "last"
    candidates: CandidateUse = "unused"


class DenseText(Baseline):
    """The 100 best videos of the corpus by cosine, ties in its order."""

    settings_type = DenseTextSettings
    _settings: DenseTextSettings

    def prepare(self, view: View) -> None:
        """Load the model and embed the corpus' texts.

        Raises WrongUsageError if the history does not show the context, EnvironmentFailure if the
        checkpoint is absent or damaged, MissingInputError if no video has a text.
        """
        chosen = self._settings
        check_context(chosen.context, view.history)
        self._model, self._key = load_sentence_model(chosen.checkpoint, chosen.revision)
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
            training_data=(f"pre-training of {Path(self._settings.checkpoint).name}",),
            details={"checkpoint": self._key},
        )

    def scores(self, query: Query) -> Scores:
        """Cosines over the corpus."""
        text = weighted_embedding(self._embed, readings(query, self._settings.context))
        return self._corpus.over_corpus(self._readable, self._videos @ text)


def embed_query(model: SentenceTransformer, text: str) -> NDArray[np.float32]:
    """The unit embedding of one query: shape (d,).

    One text at a time, so that no text is padded to another's length.
    """
    row = model.encode_query([text], show_progress_bar=False)
    return unit(np.asarray(row, np.float32).reshape(-1))
