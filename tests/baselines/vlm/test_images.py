"""Strips and stills: the frames that were asked for, with their times, in the same bytes again."""

import io

import numpy as np
import pytest
from PIL import Image

from baselines.base import MissingInputError, View
from baselines.video.sampling import Frames
from baselines.vlm.images import StillEncoder, StripEncoder, VideoImages, unpadded
from tests.baselines.conftest import CAT, DOG, FOX, imported

GREY = Frames(np.array([1500, 12_500], np.int32), np.full((2, 48, 48, 3), 128, np.uint8))


def view(toy, **more):
    return View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0, **more)


def opened(jpeg):
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def test_a_strip_holds_its_frames_from_left_to_right(toy):
    made = VideoImages(view(toy), 3, 4, 64)
    strip, stills = made.strip(CAT), made.stills(CAT)
    assert strip.times == (1667, 5000, 8333)
    assert [still.time for still in stills] == [1250, 3750, 6250, 8750]
    assert opened(strip.jpeg).shape == (64, 192, 3)
    # The cat's square is in another place in each frame; its background is black.
    left, middle, right = np.split(opened(strip.jpeg)[16:], 3, axis=1)
    assert np.abs(left.astype(int) - middle).max() > 100
    assert np.abs(middle.astype(int) - right).max() > 100


def test_a_frame_carries_its_time_and_is_else_as_it_was():
    one, other = (opened(part) for part in _stills(GREY))
    assert np.abs(one[20:].astype(int) - 128).max() <= 2
    assert one[:14, :30].min() < 40 < 200 < one[:14, :30].max()
    assert np.abs(one[:14].astype(int) - other[:14]).max() > 100, "the times differ"


def _stills(frames):
    rows = StillEncoder().encode(frames)
    return [unpadded(row) for row in rows]


def test_a_strip_is_its_stills_side_by_side():
    strip = unpadded(StripEncoder().encode(GREY).reshape(-1))
    aside = np.concatenate([opened(part) for part in _stills(GREY)], axis=1)
    assert np.abs(opened(strip).astype(int) - aside).max() < 40


def test_the_same_videos_give_the_same_bytes(toy, tmp_path):
    fresh = [VideoImages(view(toy), 2, 2, 32) for _ in range(2)]
    kept = [VideoImages(view(toy, cache=tmp_path / "cache"), 2, 2, 32) for _ in range(2)]
    assert len({made.strip(DOG).jpeg for made in (*fresh, *kept)}) == 1
    assert len({made.stills(DOG) for made in (*fresh, *kept)}) == 1
    assert kept[0].details() == kept[1].details()


def test_a_video_that_cannot_be_read_has_no_pictures(toy):
    (toy.folder / "videos" / FOX).write_bytes(b"no video")
    made = VideoImages(view(toy), 2, 2, 32)
    assert (made.strip(FOX), made.stills(FOX)) == (None, ())
    assert list(made.details()["skipped"]) == [FOX]
    assert made.strip(CAT) is not None


def test_without_stills_none_are_made(toy):
    made = VideoImages(view(toy), 2, 0, 32)
    assert made.stills(CAT) == ()
    assert "stills" not in made.details()


def test_without_any_video_there_is_nothing_to_show(tmp_path):
    bare = imported(tmp_path, name="bare")
    with pytest.raises(MissingInputError, match="can be read"):
        VideoImages(view(bare), 2, 2, 32)
