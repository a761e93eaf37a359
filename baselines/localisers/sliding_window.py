"""Zero-shot sliding windows: the mean of a window's frame embeddings against the query's.

Reads: frames (`rate` a second, at most `most`), utterances (`context`: the last one, all as one
text, or decayed turn embeddings). Searches in the given video, else in the latest video that the
history names; without one it abstains, as in video turns. Windows from `shortest` seconds to the
whole video are ranked by cosine, with non-maximum suppression at IoU 0.5. Any `transformers`
checkpoint of the CLIP or SigLIP kind, by path or by name and revision; docs/checkpoints.md has
commands. Ignores: answers, the videos' text, sound, candidates, and the order of frames within a
window. Trains nothing. Windows and suppression as in Gao et al., TALL,
https://arxiv.org/abs/1705.02101, but without their learned score.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.dialogue_context import Context, check_context, readings, video_in_focus
from baselines.encoders.image_text import load_clip
from baselines.localisation.proposals import ScoredSpans, best_moments, sliding_windows
from baselines.ranking import Corpus, cache_texts, unit, weighted_embedding
from baselines.video.features import extract_features
from harness.temporal import Spans

ABOUT = About(
    needs=("frames", "checkpoint"), languages=("en", "zh"), paper="https://arxiv.org/abs/2103.00020"
)


class SlidingWindowSettings(Settings, frozen=True):
    """The model, the query's context, which frames to read, the shortest window in seconds.

    checkpoint: a folder, or a name that `hf download` has fetched. revision: the commit of a name.
    context: the utterances to search with: the last one, all, or all with earlier ones counting
    less. rate: frames a second. most: the most frames of a video. shortest: the length of the
    shortest window, in seconds.
    """

    checkpoint: str = "google/siglip2-base-patch16-224"
    revision: str | None = None
    context: Context = "last"
    rate: float = 2.0
    most: int = 256
    shortest: float = 2.0


class SlidingWindow(Baseline):
    """Up to ten moments of one video, best first, ties to the shorter and earlier."""

    settings_type = SlidingWindowSettings
    _settings: SlidingWindowSettings

    def prepare(self, view: View) -> None:
        """Load the model and embed the frames of the corpus' videos.

        Raises WrongUsageError if the history does not show the context, EnvironmentFailure if the
        checkpoint is absent, MissingInputError if no video can be read.
        """
        chosen = self._settings
        check_context(chosen.context, view.history)
        self._durations = {video_id: video.duration for video_id, video in view.videos.items()}
        self._clip = load_clip(chosen.checkpoint, chosen.revision, view.note)
        self._embed = cache_texts(lambda text: self._clip.texts([text])[0])
        self._features = extract_features(
            [view.videos[video_id] for video_id in view.corpus],
            view.folder,
            self._clip.sampler(chosen.rate, chosen.most),
            self._clip.encoder,
            cache=view.cache,
            note=view.note,
        )
        Corpus(view).readable(self._features)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Moments for each moment turn whose video is known and can be read."""
        return [best_moments(self.scored_spans(query)) for query in queries]

    def scored_spans(self, query: Query) -> ScoredSpans | None:
        """All windows of the turn's video that contain a frame, with their cosines."""
        video_id = video_in_focus(query)
        if query.task != "moment" or video_id is None or video_id not in self._features:
            return None
        chosen, end = self._settings, self._end(video_id)
        text = weighted_embedding(self._embed, readings(query, chosen.context))
        # No window is shorter than the distance between two frames.
        shortest = max(round(1000 * chosen.shortest), end // chosen.most, 1)
        spans, means = pool_windows(
            sliding_windows(end, shortest), self._features.times[video_id], self._features[video_id]
        )
        return ScoredSpans(video_id, spans, means @ text)

    def provenance(self) -> Provenance:
        """The checkpoint by its hash or revision, the frames by their hashes."""
        return Provenance(
            parameters=self._clip.parameters,
            frames_per_video=f"{self._settings.rate:g} per second, at most {self._settings.most}",
            training_data=(f"pre-training of {Path(self._settings.checkpoint).name}",),
            details={
                "clip": self._clip.key,
                "decoder": self._features.decoder,
                "skipped": self._features.skipped,
            },
        )

    def _end(self, video_id: str) -> int:
        """The end of the video in ms: as declared, but at most one step after the last frame."""
        times = self._features.times[video_id]
        decoded = int(times[-1] + 2 * times[0])
        return max(1, min(self._durations[video_id] or decoded, decoded))


def pool_windows(
    spans: Spans, times: NDArray[np.int32], rows: NDArray[np.float32]
) -> tuple[Spans, NDArray[np.float32]]:
    """The spans that contain a frame, (m, 2), and the unit mean of each span's rows, (m, d).

    spans: (k, 2); times: (n,) ms, ascending; rows: (n, d). A span contains a frame at t if
    start <= t < end.
    """
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, dtype=np.float64, out=sums[1:])
    first, after = np.searchsorted(times, spans, side="left").T
    occupied = after > first
    first, after = first[occupied], after[occupied]
    means = (sums[after] - sums[first]) / (after - first)[:, None]
    return spans[occupied], unit(means.astype(np.float32))
