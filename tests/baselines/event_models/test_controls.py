"""Each control breaks one thing and keeps the rest."""

import numpy as np
import pytest

from baselines.event_models.controls import (
    apply_control,
    check_control,
    permute,
    permute_labels,
    training_split,
)
from baselines.event_models.event_annotations import EventAnnotations, VideoAnnotation
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import SegmentFeatures
from baselines.running.run_config import RunContext
from baselines.running.views import training_view
from harness.errors import WrongUsageError
from tests.baselines.conftest import CAT, COOK, DOG

KNOWN = Lexicon({"en": {"cat": 0, "beach": 1, "runs": 2}}, {}, [0, 0, 1])
LENGTHS = ([1.0], [2.0, 3.0], [4.0, 5.0, 6.0, 7.0])
VIDEOS = {
    name: SegmentFeatures(np.outer(lengths, [1, 2, 3]).astype(np.float32), np.array(lengths))
    for name, lengths in zip((CAT, DOG, COOK), LENGTHS, strict=True)
}


def view(toy, seed=3):
    return training_view(toy, "dual_encoder", seed, RunContext())


def test_permuted_values_go_to_other_names():
    # numpy.random.default_rng(0).permutation(3) is [2, 0, 1]
    assert permute({"a": 1, "b": 2, "c": 3}, np.random.default_rng(0)) == {"a": 3, "b": 1, "c": 2}


def test_permuted_labels_are_the_same_ones_elsewhere(toy):
    training = view(toy).training
    videos = {name: VideoAnnotation((), (at,)) for at, name in enumerate((CAT, DOG, COOK))}
    annotations, permuted = permute_labels(EventAnnotations((), videos), training, 0)
    assert annotations.videos != videos
    assert annotations.videos.keys() == videos.keys()
    assert sorted(annotations.videos.values()) == sorted(videos.values())
    golds, others = ([gold.video_id for gold in each.gold] for each in (training, permuted))
    assert golds != others
    assert sorted(golds) == sorted(others)
    assert permuted.turns == training.turns


def test_permuted_videos_are_those_of_other_names(toy):
    permuted = apply_control(VIDEOS, "videos_permuted", view(toy, 0), KNOWN)
    assert {name: each.lengths.tolist() for name, each in permuted.items()} == dict(
        zip((CAT, DOG, COOK), (LENGTHS[2], LENGTHS[0], LENGTHS[1]), strict=True)
    )


def test_shuffled_events_keep_their_values_and_lengths(toy):
    shuffled = apply_control(VIDEOS, "events_shuffled", view(toy), KNOWN)
    assert shuffled.keys() == VIDEOS.keys()
    assert shuffled[COOK].lengths.tolist() != LENGTHS[2]
    for name, each in shuffled.items():
        assert sorted(each.lengths) == sorted(VIDEOS[name].lengths)
        assert each.values.tolist() == np.outer(each.lengths, [1, 2, 3]).tolist()


def test_text_alone_is_what_the_videos_text_names(toy):
    videos = apply_control(dict.fromkeys((CAT, DOG)), "text_alone", view(toy), KNOWN)
    assert videos[CAT].values.tolist() == [[1, 0, 0]]
    assert videos[DOG].values.tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("control", ["none", "frames_shuffled", "labels_permuted"])
def test_other_controls_leave_the_videos_as_they_are(toy, control):
    assert apply_control(VIDEOS, control, view(toy), KNOWN) is VIDEOS


def test_a_control_of_running_is_none_of_training(toy):
    assert training_split(view(toy), "labels_permuted") == view(toy).training
    with pytest.raises(WrongUsageError, match="control=text_alone is one of running"):
        training_split(view(toy), "text_alone")


@pytest.mark.parametrize("trained", ["none", "labels_permuted"])
@pytest.mark.parametrize("control", ["none", "text_alone", "labels_permuted"])
def test_permuted_labels_are_named_in_training_and_in_running(control, trained):
    if (control, trained) in {
        ("none", "none"),
        ("text_alone", "none"),
        ("labels_permuted", "labels_permuted"),
    }:
        check_control(control, trained)
    else:
        with pytest.raises(WrongUsageError, match=f"trained with control={trained}"):
            check_control(control, trained)
