"""A split, and the runs on it as arrays: rankings, first moments, chosen candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark, Split
from harness.outcomes import Bools, Frame, Ints, frame
from harness.records import Gold, Video
from harness.statistics import Design, resampling_units

Ranks = NDArray[np.int32]
NONE = -1
HALF, WHOLE = (1, 2), (19, 20)  # overlaps: of a right moment, of one that covers its video


class ProbedRun(NamedTuple):
    """A valid run. `key`: <team folder>/<run folder>; `team`: the team's folder.

    ranking: (turns, 100) positions in the corpus, -1 past the end, of `videos`, else of `choice`;
    moment: (turns, 3) video, start and end in milliseconds of the first moment, -1 where none;
    chosen: (turns,) position in the turn's candidates of the first `choice`, -1 where none.
    """

    key: str
    team: str
    ranking: Ranks
    moment: Ints
    chosen: Ints


class Field(NamedTuple):
    """A split with its gold, and the runs on it, in the order of their keys.

    target: (turns, 3) the gold as `ProbedRun.moment` has it, -1 where the turn has none; durations:
    (corpus,) milliseconds, -1 where unknown; `notes`: which folders are left out, and why.
    """

    benchmark: Benchmark
    split: Split
    gold: tuple[Gold, ...]
    frame: Frame
    design: Design
    target: Ints
    durations: Ints
    runs: tuple[ProbedRun, ...]
    notes: tuple[str, ...]

    def with_runs(self, runs: Sequence[ProbedRun]) -> Field:
        """The same split with other runs."""
        return self._replace(runs=tuple(runs), notes=())


def empty_field(benchmark: Benchmark, split: str = "test") -> Field:
    """A split with its gold and without runs. Raises EnvironmentFailure if gold is absent."""
    public, gold = benchmark.checked(split).split(split), benchmark.gold(split)
    sources = {name: video.source for name, video in benchmark.videos.items()}
    of = frame(public, gold, sources)
    units = resampling_units(of.dialogue, of.type)
    return Field(
        benchmark,
        public,
        gold,
        of,
        Design.of(units, of.video, of.retrieval),
        _target(public, gold),
        _durations(public.corpus, benchmark.videos),
        runs=(),
        notes=(),
    )


def overlap(one: Ints, other: Ints, share: tuple[int, int]) -> Bools:
    """Whether moments (..., 3) are of one video and overlap (IoU) by `share` or more: (...)."""
    above, below = share
    low, high = np.maximum(one[..., 1], other[..., 1]), np.minimum(one[..., 2], other[..., 2])
    inside = np.maximum(high - low, 0)
    joined = one[..., 2] - one[..., 1] + other[..., 2] - other[..., 1] - inside
    same = (one[..., 0] == other[..., 0]) & (one[..., 0] >= 0)
    alike: Bools = same & (inside * below >= above * joined)
    return alike


def first_videos(field: Field) -> Ints:
    """The first answer of each run to each video turn, (runs, turns); -1 where there is none."""
    first = [np.where(field.frame.is_video, run.ranking[:, 0], NONE) for run in field.runs]
    return np.array(first, dtype=np.int64).reshape(len(first), len(field.gold))


def first_moments(field: Field) -> Ints:
    """The first moment of each run in each moment turn, (runs, turns, 3); -1 where there is none.

    One that covers its whole video is none: systems that do not localise answer so by habit.
    """
    found = np.array([run.moment for run in field.runs], dtype=np.int64)
    found = found.reshape(len(field.runs), len(field.gold), 3)
    lengths = field.durations[found[..., 0]]
    above, below = WHOLE
    whole = (lengths > 0) & ((found[..., 2] - found[..., 1]) * below >= above * lengths)
    found[~field.frame.is_moment | whole] = NONE
    return found


def _target(split: Split, gold: Sequence[Gold]) -> Ints:
    places = {video: place for place, video in enumerate(split.corpus)}
    target = np.full((len(gold), 3), NONE, dtype=np.int64)
    for row, answer in enumerate(gold):
        if answer.video_id is not None:
            target[row, 0] = places[answer.video_id]
        if answer.moment is not None:
            target[row, 1:] = answer.moment.start, answer.moment.end
    return target


def _durations(corpus: Sequence[str], videos: Mapping[str, Video]) -> Ints:
    known = (videos[name].duration for name in corpus)
    return np.array([NONE if length is None else length for length in known], dtype=np.int64)
