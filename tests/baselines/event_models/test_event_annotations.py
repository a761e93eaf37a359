"""Reading the annotated events of a train split."""

import json

import pytest

from baselines.base import MissingInputError
from baselines.event_models.event_annotations import AnnotatedEvent, read_annotations, value_count
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
    found = read_annotations(folder(LINES), "tan2d")
    names = [(each.name, each.of_event, each.values) for each in found.attributes]
    assert names == [
        ("act", True, ("runs", "sits")),
        ("colour", True, ("blue", "red")),
        ("background", False, ("grass", "sky")),
    ]
    assert [each.slice for each in found.attributes] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert found.value_count == value_count(found.attributes) == 6


def test_events_stand_in_order_of_time_in_milliseconds(folder):
    cat = read_annotations(folder(LINES), "tan2d").videos["A/cat.mp4"]
    assert cat.events == (AnnotatedEvent(1000, 2250, (1, 2)), AnnotatedEvent(5500, 7000, (0, 3)))
    assert cat.values == (5,)


def test_without_events_the_message_names_the_baseline_and_a_benchmark_that_has_them(tmp_path):
    with pytest.raises(
        MissingInputError, match=r"events\.jsonl: .*tan2d is trained.*ivcr data mini"
    ):
        read_annotations(tmp_path, "tan2d")


@pytest.mark.parametrize(
    "line",
    ["{", '{"video_id": "a"}', '{"video_id": 3, "events": []}',
     '{"video_id": "a", "events": [{"start": "1", "end": 2}]}'],
)  # fmt: skip
def test_a_damaged_line_is_named(folder, line):
    with pytest.raises(EnvironmentFailure, match=r"events\.jsonl: line 3: expected a video_id"):
        read_annotations(folder([*LINES, line]), "tan2d")
