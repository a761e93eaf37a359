"""A video's rows as steps of equal length."""

import numpy as np
import pytest

from baselines.localisation.video_steps import RowSource, StepPlaces, video_end
from tests.baselines.features.folders import row_times


class Toy(dict):
    """Rows by video id, two a second."""

    @property
    def times(self):
        return {name: row_times(len(rows), 2) for name, rows in self.items()}


def test_the_rows_of_a_step_are_those_in_its_time():
    times = row_times(8, 2)  # 0.25 s to 3.75 s, of 4 s
    places = StepPlaces.of_times(times, 4)
    assert (places.first.tolist(), places.after.tolist()) == ([0, 2, 4, 6], [2, 4, 6, 8])
    rows = np.arange(8, dtype=np.float32)[:, None]
    assert places.mean(rows).ravel().tolist() == [0.5, 2.5, 4.5, 6.5]


def test_a_step_without_a_row_has_the_nearest_one():
    places = StepPlaces.of_times(row_times(2, 1), 6)
    assert places.first.tolist() == [0, 0, 0, 1, 1, 1]
    assert (places.after - places.first).tolist() == [1] * 6


@pytest.mark.parametrize("frames", [1, 3, 47, 48, 49, 500])
def test_steps_show_all_of_a_video_and_nothing_else(frames):
    places = StepPlaces.of_times(row_times(frames, 3), 48)
    assert (places.first >= 0).all()
    assert (places.after <= frames).all()
    assert (places.first < places.after).all()
    assert (np.diff(places.first) >= 0).all()
    shown = {at for a, b in zip(*places, strict=True) for at in range(a, b)}
    assert shown == set(range(frames)) or (frames < 48 and shown <= set(range(frames)))


def test_training_draws_any_row_of_a_step():
    videos = RowSource(Toy(a=np.arange(480, dtype=np.float32)[:, None]))
    generator = np.random.default_rng(0)
    drawn = np.stack([videos.draw("a", generator).ravel() for _ in range(200)])
    assert (drawn // 10 == np.arange(48)).all()
    assert {*drawn[:, 5]} == {*range(50, 60)}
    assert videos.end("a") == video_end(row_times(480, 2)) == 240_000
    assert "a" in videos
    assert "b" not in videos
