"""Dense text search: a sentence-transformers model over the videos' text; no frame is read.

Reads: utterances (`context`: the last one, all as one text, or decayed turn embeddings) and the
text fields of the corpus' videos, joined; a text that is too long keeps its end. Any checkpoint of
https://github.com/UKPLab/sentence-transformers (6.x) by path or by name and revision, with its own
prompts for queries and documents if it has some; docs/checkpoints.md has commands. Ignores:
answers, frames and, unless `candidates=used`, the candidates. Trains nothing. Videos without text
are not ranked. A moment turn is answered with the whole of the given video, else of the best one.
Reimers and Gurevych, EMNLP 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
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
from baselines.encoders.resolve import loading, located
from baselines.ranking import Corpus, Scores, blended, remembered, unit
from baselines.tokenization import joined
from harness.records import CandidateUse

ABOUT = About(
    needs=("text", "checkpoint"), languages=("en", "zh"), paper="https://arxiv.org/abs/1908.10084"
)


class DenseTextSettings(Settings, frozen=True):
    """The model, what to search with, and whether to order the turn's candidates too.

    checkpoint: a folder, or a name that `hf download` has fetched; revision: of a name.
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

        Raises WrongUsageError if the history cannot give the context, EnvironmentFailure if the
        checkpoint is absent or damaged, MissingInputError if no video has a text.
        """
        check_context(self._settings.context, view.history)
        self._model, self._key = _loaded(self._settings.checkpoint, self._settings.revision)
        self._embed = remembered(self._of_query)
        self._corpus = Corpus(view)
        texts = {video_id: joined(view.videos[video_id].text) for video_id in view.corpus}
        self._seen = [video_id for video_id in view.corpus if texts[video_id].strip()]
        if view.corpus and not self._seen:
            raise MissingInputError(
                f"{view.folder}: no video of the corpus has a text; import one with --videos META"
            )
        found = self._model.encode_document(
            [texts[video_id] for video_id in self._seen], show_progress_bar=False
        )
        self._videos = unit(np.asarray(found, np.float32))  # (seen, d)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self._scores) for query in queries]

    def provenance(self) -> Provenance:
        """The checkpoint by its hash or revision."""
        return Provenance(
            parameters=sum(weight.numel() for weight in self._model.parameters()),
            frames_per_video=0,
            training_data=(f"pre-training of {Path(self._settings.checkpoint).name}",),
            details={"checkpoint": self._key},
        )

    def _of_query(self, text: str) -> NDArray[np.float32]:
        """One text at a time, so that no text is padded to another's length: shape (d,)."""
        found = self._model.encode_query([text], show_progress_bar=False)
        return unit(np.asarray(found, np.float32).reshape(-1))

    def _scores(self, query: Query) -> Scores:
        """Cosines over the corpus."""
        told = blended(self._embed, readings(query, self._settings.context))
        return self._corpus.scattered(self._seen, self._videos @ told)


def _loaded(checkpoint: str, revision: str | None) -> tuple[SentenceTransformer, str]:
    """The model and its key; safetensors alone are read, and no code of the checkpoint's is run."""
    folder, key = located(checkpoint, revision)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with loading(checkpoint, folder):
        model = SentenceTransformer(
            str(folder), device=device, local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )  # fmt: skip
    tokenizer: Any = model.tokenizer
    tokenizer.truncation_side = "left"  # of a dialogue, the latest words count most
    return model.eval(), key
