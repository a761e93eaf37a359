"""Windows against embedding, averaging and comparing one window after the other."""

import numpy as np
import pytest

from baselines.base import Answer, Exchange, MissingInputError, Query, View
from baselines.encoders.image_text import load_clip
from baselines.localisation.proposals import sliding_windows
from baselines.localisers.sliding_window import pool_windows
from baselines.registry import find, load
from baselines.video.sampling import sample
from harness.errors import WrongUsageError
from harness.records import Video
from tests.baselines import tiny
from tests.baselines.videos import plain

TEXT = "a cat sleeps"
NAMES = ("a", "b", "lost", "untimed")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny.clip(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """Two films whose colours change, a path without a file, a film of undeclared duration."""
    folder, draw = tmp_path_factory.mktemp("films"), np.random.default_rng(3)

    def picture(level):
        return np.random.default_rng(level // 5).integers(0, 256, (48, 64, 3), dtype=np.uint8)

    for name in ("a", "b", "untimed"):
        plain(folder / f"{name}.mp4", draw.permutation(80), picture=picture)
    durations = {"a": 10_000, "b": 12_000, "lost": 9000, "untimed": None}
    videos = {
        name: Video(name, duration, path=f"{name}.mp4") for name, duration in durations.items()
    }
    return View(videos, NAMES, folder, "own", 0)


@pytest.fixture(scope="module")
def localiser(checkpoint, view):
    baseline, _ = load(find("sliding_window"), [f"checkpoint={checkpoint}", "rate=4"])
    baseline.prepare(view)
    return baseline


def moment(video_id=None, history=(), utterance=TEXT):
    return Query("d", 2, "en", "moment", utterance, (), video_id, history)


def named(*video_ids):
    return tuple(Exchange("video", "?", "It is video 1.", video_id, ()) for video_id in video_ids)


def iou(one, other):
    met = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return met / (one[1] - one[0] + other[1] - other[0] - met)


def by_hand(clip, path, end, text):
    """The ten best of all windows, each embedded on its own, thinned out greedily."""
    frames = sample(path, clip.sampler(4, 256))
    rows, told = clip.encode(frames).astype(np.float64), clip.texts([text])[0]
    scored = []
    for start, stop in sliding_windows(end, 2000).tolist():
        inside = [row for time, row in zip(frames.times, rows, strict=True) if start <= time < stop]
        mean = np.mean(inside, axis=0)
        scored.append((mean @ told / np.linalg.norm(mean), (start, stop)))
    kept = []
    for _, span in sorted(scored, key=lambda pair: -pair[0]):
        if all(iou(span, other) <= 0.5 for other in kept):
            kept.append(span)
    return kept[:10]


@pytest.mark.parametrize(("video_id", "end"), [("a", 10_000), ("b", 10_125), ("untimed", 10_125)])
def test_moments_are_the_best_windows_one_by_one(localiser, checkpoint, view, video_id, end):
    """The films last 10 s: a declared end counts if it is less than a step past the last frame."""
    (answer,) = localiser.answer([moment(video_id)])
    expected = by_hand(load_clip(str(checkpoint), None), view.folder / f"{video_id}.mp4", end, TEXT)
    assert [(found.start, found.end) for found in answer.moments] == expected
    assert len(expected) == 10
    assert {found.video_id for found in answer.moments} == {video_id}


def test_an_answer_does_not_depend_on_its_batch(localiser):
    queries = [moment(name, utterance=text) for name in "ab" for text in (TEXT, "dog", "雪")]
    alone = [localiser.answer([query])[0] for query in queries]
    assert localiser.answer(queries[::-1])[::-1] == alone
    assert len({answer.moments for answer in alone}) == 6


@pytest.mark.parametrize(
    ("query", "video_id"),
    [
        (moment("a", named("b")), "a"),
        (moment(None, named("b", "a")), "a"),
        (moment(None, named("b", None)), "b"),
        (moment(), None),
        (moment("lost"), None),
        (Query("d", 1, "en", "video", TEXT, (), None, named("a")), None),
        (Query("d", 1, "en", "chat", TEXT, (), None, named("a")), None),
    ],
    ids=["given", "latest", "latest named", "none", "unreadable", "video turn", "chat turn"],
)
def test_the_video_is_the_given_one_else_the_latest_named_else_it_abstains(
    localiser, query, video_id
):
    (answer,) = localiser.answer([query])
    found = {found.video_id for found in answer.moments or ()}
    assert found == ({video_id} if video_id else set())
    assert video_id or answer == Answer()


def test_a_context_of_earlier_turns_is_refused_without_history(checkpoint, view):
    baseline, _ = load(find("sliding_window"), [f"checkpoint={checkpoint}", "context=all"])
    with pytest.raises(WrongUsageError, match="context=all"):
        baseline.prepare(View(view.videos, view.corpus, view.folder, "none", 0))


def test_provenance_names_model_frames_and_what_was_skipped(localiser):
    told = localiser.provenance()
    assert told.frames_per_video == "4 per second, at most 256"
    assert told.details["skipped"] == {"lost": 'missing: no file "lost.mp4"'}
    assert told.details["decoder"]["sampler"]["rate"] == 4.0
    assert told.details["clip"].startswith("sha256:")


def test_windows_between_two_frames_are_left_out():
    spans = np.array([[0, 100], [100, 200], [0, 1000], [500, 501], [501, 900]])
    rows = np.array([[3.0, 0.0], [0.0, 3.0]], np.float32)
    held, means = pool_windows(spans, np.array([100, 500], np.int32), rows)
    assert held.tolist() == [[100, 200], [0, 1000], [500, 501]]
    assert means == pytest.approx(np.array([[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]]))


def test_without_any_readable_video_it_says_where_paths_come_from(checkpoint, view):
    baseline, _ = load(find("sliding_window"), [f"checkpoint={checkpoint}"])
    with pytest.raises(MissingInputError, match="none of the corpus' 1 videos can be read"):
        baseline.prepare(View(view.videos, ("lost",), view.folder, "own", 0))
