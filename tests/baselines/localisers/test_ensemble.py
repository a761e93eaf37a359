"""An ensemble's moments against averaging the members' scores and suppressing by hand."""

import numpy as np
import pytest
from msgspec.structs import replace

from baselines.base import Answer, MemberConfig, Query, View
from baselines.registry import find, load
from harness.errors import WrongUsageError
from harness.records import Video
from tests.baselines import tiny
from tests.baselines.videos import plain

QUERY = Query("d", 2, "en", "moment", "a cat sleeps", (), "film", ())


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """One film whose colours change."""
    folder, draw = tmp_path_factory.mktemp("films"), np.random.default_rng(3)

    def picture(level):
        return np.random.default_rng(level // 5).integers(0, 256, (48, 64, 3), dtype=np.uint8)

    plain(folder / "film.mp4", draw.permutation(80), picture=picture)
    return View({"film": Video("film", 10_000, path="film.mp4")}, ("film",), folder, "own", 0)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Two random CLIPs."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return [str(tiny.clip(folder / str(seed), seed=seed)) for seed in (0, 1)]


def windows(checkpoint, weight=1.0, **settings):
    return MemberConfig("sliding_window", {"checkpoint": checkpoint, **settings}, weight)


def prepared(view, *members):
    baseline, _ = load(find("ensemble"), (), {"member": members})
    baseline.prepare(view)
    return baseline


def alone(view, checkpoint):
    baseline, _ = load(find("sliding_window"), (), {"checkpoint": checkpoint})
    baseline.prepare(view)
    return baseline


def iou(one, other):
    met = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return met / (one[1] - one[0] + other[1] - other[0] - met)


def spans(answer):
    return [(moment.start, moment.end) for moment in answer.moments]


def by_hand(scored):
    """The ten best spans, thinned out greedily."""
    kept = []
    for _, span in sorted(scored, key=lambda pair: -pair[0]):
        if all(iou(span, other) <= 0.5 for other in kept):
            kept.append(span)
    return kept[:10]


def test_moments_are_those_of_the_weighted_mean(view, checkpoints):
    members = [alone(view, each).scored_spans(QUERY) for each in checkpoints]
    scored = []
    for at, span in enumerate(members[0].spans.tolist()):
        mean = (members[0].scores[at] + 3 * members[1].scores[at]) / 4
        scored.append((float(mean), tuple(span)))
    [answer] = prepared(view, windows(checkpoints[0]), windows(checkpoints[1], 3.0)).answer([QUERY])
    assert spans(answer) == by_hand(scored)
    for checkpoint in checkpoints:
        assert alone(view, checkpoint).answer([QUERY]) != [answer]


def test_one_member_answers_as_it_does_alone(view, checkpoints):
    mine = prepared(view, windows(checkpoints[0], 2.0)).answer([QUERY])
    assert mine == alone(view, checkpoints[0]).answer([QUERY])


@pytest.mark.parametrize("other", [{"task": "video"}, {"video_id": None}, {"video_id": "lost"}])
def test_without_a_video_it_abstains(view, checkpoints, other):
    query = replace(QUERY, **other)
    assert prepared(view, windows(checkpoints[0])).answer([query]) == [Answer()]


def test_members_that_score_other_spans_are_refused(view, checkpoints):
    ensemble = prepared(view, windows(checkpoints[0]), windows(checkpoints[1], shortest=3.0))
    with pytest.raises(WrongUsageError, match="sliding_window scores other spans of film"):
        ensemble.answer([QUERY])


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ((), "expected members, found none; add a table"),
        ((MemberConfig("bm25"),), "member 1: bm25 gives no scores of spans; take a localiser"),
    ],
)
def test_what_cannot_be_averaged_is_refused(members, says):
    with pytest.raises(WrongUsageError, match=says):
        load(find("ensemble"), (), {"member": members})
