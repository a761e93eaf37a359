"""Zero-shot CLIP: the mean of a video's frame embeddings against the query's embedding.

Reads: frames (`rate` a second, at most `most`), utterances (`context`: the last one, all as one
text, or decayed turn embeddings: the sum of the turns' embeddings, weighted by 1/2 for each turn
back, scaled to length 1). Any `transformers` checkpoint of the CLIP or SigLIP kind, by path or by
name and revision; docs/checkpoints.md has commands. Ignores: answers, the videos' text, sound and,
unless `candidates=used`, the candidates. Trains nothing. A moment turn is answered with the whole
of the given video, else of the best one. Radford et al., ICML 2021; pooled as CLIP4Clip's meanP
(Luo et al., https://arxiv.org/abs/2104.08860), https://github.com/ArrowLuo/CLIP4Clip at 85cf908.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.dialogue_context import Context, check_context, readings
from baselines.encoders.image_text import load_clip
from baselines.ranking import Corpus, Scores, cache_texts, unit, weighted_embedding
from baselines.video.features import extract_features
from harness.records import CandidateUse

ABOUT = About(
    needs=("frames", "checkpoint"), languages=("en", "zh"), paper="https://arxiv.org/abs/2103.00020"
)


class CLIPSettings(Settings, frozen=True):
    """The model, the query's context, whether to rank the candidates, which frames to read.

    checkpoint: a folder, or a name that `hf download` has fetched. revision: the commit of a name.
    context: the utterances to search with: the last one, all, or all with earlier ones counting
    less. candidates: whether the turn's candidates are ranked too, as `choice`. rate: frames a
    second. most: the most frames of a video.
    """

    checkpoint: str = "google/siglip2-base-patch16-224"
    revision: str | None = None
    context: Context = "last"
    candidates: CandidateUse = "unused"
    rate: float = 1.0
    most: int = 12


class CLIP(Baseline):
    """The 100 best videos of the corpus by cosine; videos that cannot be read are not ranked."""

    settings_type = CLIPSettings
    _settings: CLIPSettings

    def prepare(self, view: View) -> None:
        """Load the model and embed the corpus' videos.

        Raises WrongUsageError if the history does not show the context, EnvironmentFailure if the
        checkpoint is absent, MissingInputError if no video can be read.
        """
        chosen = self._settings
        check_context(chosen.context, view.history)
        self._clip = load_clip(chosen.checkpoint, chosen.revision, view.note)
        self._embed = cache_texts(lambda text: self._clip.texts([text])[0])
        self._corpus = Corpus(view)
        self._features = extract_features(
            [view.videos[video_id] for video_id in view.corpus],
            view.folder,
            self._clip.sampler(chosen.rate, chosen.most),
            self._clip.encoder,
            cache=view.cache,
            note=view.note,
        )
        self._readable = self._corpus.readable(self._features)
        means = [self._features[video_id].mean(axis=0) for video_id in self._readable]
        self._videos = unit(np.stack(means))  # (readable, d)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def provenance(self) -> Provenance:
        """The checkpoint by its hash or revision, the frames by their hashes."""
        return Provenance(
            parameters=self._clip.parameters,
            frames_per_video=self._settings.most,
            training_data=(f"pre-training of {Path(self._settings.checkpoint).name}",),
            details={
                "clip": self._clip.key,
                "decoder": self._features.decoder,
                "skipped": self._features.skipped,
            },
        )

    def scores(self, query: Query) -> Scores:
        """Cosines over the corpus."""
        text = weighted_embedding(self._embed, readings(query, self._settings.context))
        return self._corpus.over_corpus(self._readable, self._videos @ text)
