"""Two towers trained contrastively: a text network, and several vectors of a video's features.

The frame tower reads features of any encoder (`ivcr features build` or `import`), the text tower
own words and characters or the token states of another text model (`text`). A video has a few
vectors, each by a learned query that attends to its time steps, and scores by the one that is
nearest to the text. Trained on video turns (with `moments` on moment turns too, whose words tell a
part of the gold video), against the batch's other videos and hard negatives from the turns'
candidates. Reads: utterances (`context`), features of frames. Ignores: answers, the videos' text,
sound and, unless `candidates=used`, the candidates. A moment turn is answered with the whole of the
given video, else of the best one. Loss: Radford et al., ICML 2021; several vectors a side: Khattab
and Zaharia, SIGIR 2020.
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
from baselines.retrieval_training.finetuning import load_head, train_head, training_data
from baselines.retrieval_training.head_settings import FeatureSettings
from baselines.retrieval_training.two_tower_head import TwoTowerHead
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
EPOCHS = 30.0
Control = Literal["none", "videos_permuted", "frames_shuffled"]


class TwoTowerSettings(FeatureSettings, frozen=True, forbid_unknown_fields=True):
    """As FeatureSettings, and five more.

    most: the most time steps of a video: more rows than that are averaged in equal parts. vectors:
    of a video. negatives: hard negatives of a training pair, from the turn's candidates. moments:
    whether moment turns are training pairs too. control: what is broken on purpose when trained
    weights run, to measure what a figure rests on.
    """

    most: int = 48
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
        data = training_data(chosen, view, config, moments=chosen.moments)
        head = TwoTowerHead(data.width, chosen.most, chosen.vectors)
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
            "two_tower", self._settings, self.given, self._corpus, view, self._settings.control
        )
        chosen = loaded.settings
        check_context(chosen.context, view.history)
        self._head = TwoTowerHead(loaded.width, chosen.most, chosen.vectors).to(loaded.device)
        self._head.load_state_dict(loaded.head)
        self._head.eval()
        self._embed = cache_texts(loaded.embed)
        rows = [self._head.videos(loaded.frames([video_id]))[0] for video_id in loaded.readable]
        self._videos = torch.cat(rows).cpu().numpy()  # (readable * vectors, d)

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
        """The greatest cosines over the corpus."""
        embedding = weighted_embedding(self._embed, readings(query, self._loaded.settings.context))
        text = torch.from_numpy(embedding[None]).to(self._loaded.device)
        row = self._head.texts(text).cpu().numpy()[0]
        cosines = (self._videos @ row).reshape(len(self._loaded.readable), -1)
        return self._corpus.over_corpus(self._loaded.readable, np.asarray(cosines.max(axis=1)))
