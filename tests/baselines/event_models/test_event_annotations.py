"""The annotated events of a train split, and what is refused."""

import json

import pytest

from baselines.base import MissingInputError
from baselines.event_models.event_annotations import Event, read, size
from harness.errors import EnvironmentFailure

LINES = [
    {
        "video_id": "A/cat.mp4",
        "background": "sky",
        "duration": 10,
        "events": [
            {"colour": "red", "act": "runs", "start": 5.5, "end": 7.0},
            {"colour": "blue", "act": "sits", "start": 1, "end": 2.25},
        ],
    },
    {"video_id": "A/dog.mp4", "background": "grass", "events": []},
]


@pytest.fixture
def folder(tmp_path):
    def written(lines):
        (tmp_path / "train").mkdir(exist_ok=True)
        text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
        (tmp_path / "train" / "events.jsonl").write_text(text, "utf-8")
        return tmp_path

    return written


def test_values_are_numbered_by_attribute_events_first(folder):
    found = read(folder(LINES), "tan2d")
    names = [(each.name, each.of_event, each.values) for each in found.attributes]
    assert names == [
        ("act", True, ("runs", "sits")),
        ("colour", True, ("blue", "red")),
        ("background", False, ("grass", "sky")),
    ]
    assert [each.slice for each in found.attributes] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert found.size == size(found.attributes) == 6


def test_events_stand_in_order_of_time_in_milliseconds(folder):
    cat = read(folder(LINES), "tan2d").scripts["A/cat.mp4"]
    assert cat.events == (Event(1000, 2250, (1, 2)), Event(5500, 7000, (0, 3)))
    assert cat.values == (5,)


def test_without_events_it_is_said_who_needs_them_and_what_has_them(tmp_path):
    with pytest.raises(MissingInputError, match=r"events\.jsonl: .*tan2d learns.*ivcr data mini"):
        read(tmp_path, "tan2d")


@pytest.mark.parametrize(
    "line",
    ["{", '{"video_id": "a"}', '{"video_id": 3, "events": []}',
     '{"video_id": "a", "events": [{"start": "1", "end": 2}]}'],
)  # fmt: skip
def test_a_damaged_line_is_named(folder, line):
    with pytest.raises(EnvironmentFailure, match=r"events\.jsonl: line 3: expected a video_id"):
        read(folder([*LINES, line]), "tan2d")
