"""IVCR-Mini's scripts: what every world keeps to, whatever its seed."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from harness.sources.mini.world import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    PACES,
    PLACES,
    SHAPES,
    Script,
    make_world,
)

WORLDS = ((0, 480), (1, 480), (20251201, 480), (2, 360), (2, 960))  # seeds, training videos


@pytest.fixture(scope="module", params=WORLDS, ids=str)
def world(request: pytest.FixtureRequest) -> tuple[Script, ...]:
    return make_world(*request.param)


def pairs(world: tuple[Script, ...]) -> list[tuple[Script, Script]]:
    by_id = {script.video_id: script for script in world}
    return [(one, by_id[one.twin]) for one in world if one.twin and one.video_id < one.twin]


def test_vocabulary_has_the_promised_sizes() -> None:
    words = (SHAPES, COLOURS, MOTIONS, PLACES, PACES, BACKGROUNDS)
    assert [len(group) for group in words] == [6, 8, 8, 4, 2, 6]
    assert len({word for group in words for word in group}) == sum(map(len, words))


def test_splits_are_large_enough(world: tuple[Script, ...]) -> None:
    sizes = Counter(script.split for script in world)
    assert sizes["train"] >= 360
    assert sizes["val"] >= 40
    assert sizes["test"] >= 120
    assert sum(sizes.values()) == len({script.video_id for script in world}) >= 520


def test_no_two_events_share_a_shape_a_colour_or_an_instant(world: tuple[Script, ...]) -> None:
    for script in world:
        looks = [event.look for event in script.events]
        assert 2 <= len(looks) <= 5
        assert (
            len({look.shape for look in looks})
            == len({look.colour for look in looks})
            == len(looks)
        )
        times = [time for event in script.events for time in (event.start, event.end)]
        assert times == sorted(set(times))


def test_videos_last_8_to_40_seconds_and_hold_their_events(world: tuple[Script, ...]) -> None:
    for script in world:
        assert 8 <= script.duration <= 40
        assert script.events[0].start > 0
        assert script.events[-1].end / 100 < script.duration


def test_times_avoid_the_frame_grid_and_half_seconds(world: tuple[Script, ...]) -> None:
    for script in world:
        for event in script.events:
            for time in (event.start, event.end):
                seconds = Fraction(time, 100)
                assert seconds % Fraction(1, 8)
                assert seconds % Fraction(1, 2)


def test_half_of_each_split_are_twins_a_third_of_each_kind(world: tuple[Script, ...]) -> None:
    for split, size in Counter(script.split for script in world).items():
        kinds = Counter(script.difference for script in world if script.split == split)
        assert kinds == {None: size / 2, "order": size / 6, "time": size / 6, "place": size / 6}


def test_twins_share_split_length_background_and_all_words(world: tuple[Script, ...]) -> None:
    for one, two in pairs(world):
        assert two.twin == one.video_id
        assert one.split == two.split
        assert (one.frames, one.background, one.words) == (two.frames, two.background, two.words)
        assert one.bag() == two.bag()
        assert one.video_id.split("/")[0] == two.video_id.split("/")[0]


def test_twins_differ_in_their_one_thing_alone(world: tuple[Script, ...]) -> None:
    for one, two in pairs(world):
        i, j = one.differs or (0, 0)
        looks = [[event.look for event in script.events] for script in (one, two)]
        lengths = [[event.end - event.start for event in script.events] for script in (one, two)]
        gaps = [
            [b.start - a.end for a, b in zip(s.events, s.events[1:], strict=False)]
            for s in (one, two)
        ]
        assert gaps[0] == gaps[1]
        expected_looks, expected_lengths = list(looks[0]), list(lengths[0])
        if one.difference in ("order", "time"):
            expected_lengths[i], expected_lengths[j] = lengths[0][j], lengths[0][i]
        if one.difference == "order":
            expected_looks[i], expected_looks[j] = looks[0][j], looks[0][i]
        if one.difference == "place":
            a, b = looks[0][i], looks[0][j]
            assert a.place != b.place
            expected_looks[i] = a._replace(place=b.place)
            expected_looks[j] = b._replace(place=a.place)
        assert (looks[1], lengths[1]) == (expected_looks, expected_lengths)


def test_exchanged_durations_differ_clearly(world: tuple[Script, ...]) -> None:
    for one, _ in pairs(world):
        if one.difference == "time":
            lengths = sorted(one.events[i].length for i in one.differs or ())
            assert lengths[1] >= 1.5 * lengths[0]


def test_order_of_videos_does_not_betray_twins(world: tuple[Script, ...]) -> None:
    place = {script.video_id: index for index, script in enumerate(world)}
    by_name = sorted(place)
    for order in (place, {name: index for index, name in enumerate(by_name)}):
        apart = [abs(order[a.video_id] - order[b.video_id]) for a, b in pairs(world)]
        # Two random positions of n stand n/3 apart on average; within a source, half as far.
        assert sum(apart) / len(apart) > len(world) / 9


def test_same_seed_same_world_other_seed_other_world() -> None:
    assert make_world(3) == make_world(3)
    assert not {s.video_id for s in make_world(3)} & {s.video_id for s in make_world(4)}


@pytest.mark.parametrize("train", [12, 240, 492, 720])
def test_more_or_fewer_training_videos_leave_the_others_as_they_are(train: int) -> None:
    usual, other = make_world(3), make_world(3, train)
    assert sum(script.split == "train" for script in other) == train
    assert len({script.video_id for script in other}) == len(other)
    assert [s for s in other if s.split != "train"] == [s for s in usual if s.split != "train"]
    one, two = ({s for s in each if s.split == "train"} for each in (usual, other))
    assert one <= two or two <= one
    kinds = Counter(script.difference for script in two)
    assert kinds == {None: train // 2, **dict.fromkeys(("order", "time", "place"), train // 6)}


def test_another_number_of_training_videos_is_refused() -> None:
    for train in (0, -12, 100):
        with pytest.raises(ValueError, match="multiple of 12"):
            make_world(3, train)
