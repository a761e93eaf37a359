"""An array is of a video whose id it has, or of the only one that a looser form of it fits."""

import pytest

from baselines.features.video_names import FORMS, match_names

IDS = ("A/v_1.mp4", "A/v_2.mp4", "B/v_2.mkv", "C/a b.webm", "plain")


@pytest.mark.parametrize(
    ("name", "video", "form"),
    [
        ("A/v_1.mp4", "A/v_1.mp4", "as they are"),
        ("A/v_1", "A/v_1.mp4", "without extension"),
        ("A/v_1.npy", "A/v_1.mp4", "without extension"),
        ("A_v_1.mp4", "A/v_1.mp4", "with slashes as _"),
        ("A_v_1", "A/v_1.mp4", "with slashes as _, without extension"),
        ("v_1.mp4", "A/v_1.mp4", "by the last part of the path"),
        ("clips/v_1", "A/v_1.mp4", "by the last part of the path, without extension"),
        ("B/v_2", "B/v_2.mkv", "without extension"),
        ("v_2.mkv", "B/v_2.mkv", "by the last part of the path"),
        ("plain.mp4", "plain", "without extension"),
    ],
)
def test_the_strictest_form_that_fits_one_video_counts(name, video, form):
    found = match_names([name], IDS)
    assert (found.names, found.forms) == ({video: name}, {form: (1, name)})


def test_what_fits_several_videos_is_of_none():
    found = match_names(["v_2", "v_9"], IDS)
    assert (found.names, found.ambiguous, found.unknown) == ({}, ("v_2",), ("v_9",))


def test_a_video_that_was_found_by_its_id_leaves_no_other_for_a_loose_name():
    for exact, loose in (("A/v_2.mp4", "v_2"), ("A/v_1.mp4", "v_1")):
        found = match_names([exact, loose], IDS)
        assert (found.names, found.ambiguous) == ({exact: exact}, (loose,))


def test_two_names_for_one_video_are_ambiguous():
    found = match_names(["x/v_1.mp4", "y/v_1.mp4"], IDS)
    assert (found.names, len(found.ambiguous)) == ({}, 2)


def test_every_form_is_the_same_on_both_sides():
    for words, form in FORMS.items():
        assert all(form(form(video_id)) == form(video_id) for video_id in IDS), words
