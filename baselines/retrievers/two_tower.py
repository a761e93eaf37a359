"""Two towers trained contrastively: a text network, and the time steps of a video's features.

The frame tower reads features of any encoder (`ivcr features build` or `import`), the text tower
own words and characters or the token states of another text model (`text`). Every word of a text
has the step that is nearest to it, and a video scores by the sum of the words' cosines, which the
text network weighs. With `words=false` a text is one vector and a video a few, each by a learned
query that attends to its steps; it scores by the nearest. Trained on video turns (with `moments` on
moment turns too, whose words tell a part of the gold video), against the batch's other videos and
hard negatives from the turns' candidates. Reads: utterances (`context`), features of frames.
Ignores: answers, the videos' text, sound and, unless `candidates=used`, the candidates. A moment
turn is answered with the whole of the given video, else of the best one. Loss: Radford et al., ICML
2021; words: Khattab and Zaharia, SIGIR 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.dialogue_context import check_context, readings
from baselines.ranking import Corpus, Scores, cache_texts, weighted_embedding
from baselines.retrieval_training.contrastive import LearningRates
from baselines.retrieval_training.feature_encoders import FeatureEncoders
from baselines.retrieval_training.finetuning import load_head, train_head, training_data
from baselines.retrieval_training.head_settings import FeatureSettings
from baselines.retrieval_training.two_tower_head import TwoTowerHead, WordStepHead
from baselines.retrieval_training.word_encoders import WordEncoders, weighted_words
from harness.errors import WrongUsageError
from harness.records import CandidateUse

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "train_labels"),
    train_note="its frames are features that `ivcr features build` or `import` makes",
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2004.12832",
    train_example=("features=FEATURES",),
)
RATES = LearningRates(1e-3, 1e-3)
EPOCHS = 12.0
WORDS_SCALE = 5.0  # of sums over words, at the beginning; of cosines it is greater
Control = Literal["none", "videos_permuted", "frames_shuffled"]


class TwoTowerSettings(FeatureSettings, frozen=True, forbid_unknown_fields=True):
    """As FeatureSettings, and six more.

    most: the most time steps of a video: more rows than that are averaged in equal parts. words:
    whether each word of a text is looked for by itself. vectors: of a video, without words.
    negatives: hard negatives of a training pair, from the turn's candidates. moments:
    whether moment turns are training pairs too. control: what is broken on purpose when trained
    weights run, to measure what a figure rests on.
    """

    most: int = 48
    words: bool = True
    vectors: int = 4
    negatives: int = 2
    moments: bool = True
    control: Control = "none"


class TwoTower(Baseline):
    """The 100 best videos of the corpus by score; videos without features are not ranked."""

    settings_type = TwoTowerSettings
    _settings: TwoTowerSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train and write the checkpoint folder.

        Raises WrongUsageError at a control, and what `training_data` raises.
        """
        chosen = self._settings
        if chosen.control != "none":
            raise WrongUsageError(
                f"control={chosen.control} is one of running, not of training; leave it out"
            )
        data = training_data(chosen, view, config, moments=chosen.moments, kind=_encoders(chosen))
        if chosen.words:
            data = data._replace(scale=WORDS_SCALE)
        head = _head(data.width, chosen)
        train_head(
            "two_tower", chosen, head, data, view, config,
            rates=RATES, epochs=EPOCHS, hard=chosen.negatives,
        )  # fmt: skip

    @torch.inference_mode()
    def prepare(self, view: View) -> None:
        """Load the trained folder and the corpus' videos.

        Raises what `load_head` raises, and WrongUsageError if the context is not in the history.
        """
        self._corpus = Corpus(view)
        self._loaded = loaded = load_head(
            "two_tower", self._settings, self.given, self._corpus, view, self._settings.control,
            _encoders,
        )  # fmt: skip
        chosen = loaded.settings
        check_context(chosen.context, view.history)
        self._head = _head(loaded.width, chosen).to(loaded.device)
        self._head.load_state_dict(loaded.head)
        self._head.eval()
        self._embed = cache_texts(loaded.embed)
        # One by one, without padding: (vectors or steps, d) each.
        rows = [self._head.rows(loaded.frames([video_id]))[0] for video_id in loaded.readable]
        self._starts = np.cumsum([0, *map(len, rows[:-1])])
        self._videos = torch.cat(rows).cpu().numpy()

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder and the features by their hashes."""
        return self._loaded.provenance

    @torch.inference_mode()
    def scores(self, query: Query) -> Scores:
        """The greatest cosines over the corpus, or the sums of those of the words."""
        chosen = self._loaded.settings
        joined = weighted_words if chosen.words else weighted_embedding
        text = joined(self._embed, readings(query, chosen.context))
        found = self._head.texts(torch.from_numpy(text[None]).to(self._loaded.device))[0]
        rows = found.cpu().numpy().reshape(-1, self._videos.shape[1])  # (words, d)
        nearest = np.maximum.reduceat(self._videos @ rows.T, self._starts)  # (readable, words)
        return self._corpus.over_corpus(self._loaded.readable, nearest.sum(axis=1))


def _encoders(chosen: TwoTowerSettings) -> type[FeatureEncoders]:
    return WordEncoders if chosen.words else FeatureEncoders


def _head(width: int, chosen: TwoTowerSettings) -> TwoTowerHead | WordStepHead:
    if chosen.words:
        return WordStepHead(width, chosen.most)
    return TwoTowerHead(width, chosen.most, chosen.vectors)
