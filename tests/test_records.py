"""The limits of an answer and their schema; values of other libraries; seconds, milliseconds."""

import json
from decimal import Decimal
from fractions import Fraction
from functools import partial
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from harness.metrics import METRICS
from harness.records import (
    ABSENT_RANK,
    CANDIDATES,
    MOMENT_LIMIT,
    RANK_LIMIT,
    Moment,
    Prediction,
    Span,
    Video,
)
from harness.submission import line


def test_the_published_schema_states_the_limits():
    schema = json.loads(files("harness.schemas").joinpath("prediction.json").read_bytes())
    limits = {name: part.get("maxItems") for name, part in schema["properties"].items()}
    assert limits["videos"] == RANK_LIMIT
    assert limits["moments"] == MOMENT_LIMIT
    assert limits["choice"] == CANDIDATES


def test_the_metrics_over_whole_rankings_name_the_limit():
    assert ABSENT_RANK == RANK_LIMIT + 1
    assert {f"R@{RANK_LIMIT}", f"BRI@{RANK_LIMIT}"} <= set(METRICS)
    assert METRICS["MedR"].high == RANK_LIMIT
    assert METRICS["MedR"].abstention == ABSENT_RANK


IDS = ("a.mp4", "b.mp4")
MOMENTS = (Moment("a.mp4", 1, 2), Moment("b.mp4", 3, 4))


@pytest.mark.parametrize(
    "given",
    [
        list(IDS),
        np.array(IDS),
        np.array(IDS, dtype=object),
        pd.Series(IDS, index=[7, 9]),
        (np.str_("a.mp4"), "b.mp4"),
        dict.fromkeys(IDS).keys().__iter__(),
    ],
)
def test_ids_in_any_order_of_values_are_the_same_prediction(given):
    found = Prediction(np.str_("d"), np.int64(2), videos=given, response=np.str_("yes"))
    assert found == Prediction("d", 2, videos=IDS, response="yes")
    plain = line(Prediction("d", 2, videos=IDS, response="yes"))
    assert line(found) == plain
    assert {type(found.dialogue_id), type(found.response), *map(type, found.videos)} == {str}


def test_moments_of_arrays_are_moments():
    spans = np.array([[1, 2], [3, 4]], np.int32)
    found = [Moment(np.str_(name), *span) for name, span in zip(IDS, spans, strict=True)]
    assert Prediction("d", 1, moments=found) == Prediction("d", 1, moments=MOMENTS)
    assert line(Prediction("d", 1, moments=found)) == line(Prediction("d", 1, moments=MOMENTS))
    assert {type(found[0].start), type(found[0].end), type(found[0].video_id)} == {int, str}


@pytest.mark.parametrize(
    "number", [float, np.float32, np.float64, Fraction, Decimal, "{:.1f}".format]
)
@pytest.mark.parametrize("make", [Span, partial(Moment, "a.mp4")])
def test_seconds_are_never_taken_for_milliseconds(make, number):
    for start, end in ((1.2, 2.0), (1, 2.0), (5.0, 6)):
        given = [start if type(start) is int else number(start), number(end)]
        with pytest.raises(TypeError, match=r"whole milliseconds \((Span|Moment).from_seconds\("):
            make(*given)


@pytest.mark.parametrize("duration", [12.5, 12.0, np.float32(12), "12", True])
def test_a_duration_in_seconds_is_never_taken_for_milliseconds(duration):
    with pytest.raises(TypeError, match=r"Video.duration: expected whole milliseconds"):
        Video("a.mp4", duration)
    assert Video("a.mp4", np.int64(12_000)).duration == 12_000


@pytest.mark.parametrize("number", [float, np.float32, np.float64, Decimal, Fraction])
def test_seconds_have_a_constructor_of_their_own(number):
    assert Moment.from_seconds("a.mp4", number(1.25), number(2)) == Moment("a.mp4", 1250, 2000)
    assert Span.from_seconds(number(0.5), 2) == Span(500, 2000)


@pytest.mark.parametrize("time", [np.nan, np.inf, "1", None, True, [1.0], np.array([1.0, 2.0])])
def test_what_is_no_number_of_seconds_is_refused(time):
    with pytest.raises(TypeError, match="start: expected seconds as a finite number, found "):
        Moment.from_seconds("a.mp4", time, 9)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("dialogue_id", 7, r"Prediction.dialogue_id: expected text, found 7 \(int\)"),
        ("dialogue_id", None, r"Prediction.dialogue_id: expected text, found None"),
        ("turn", 2.0, r"Prediction.turn: expected a whole number, found 2.0 \(float\)"),
        ("turn", "2", r"Prediction.turn: expected a whole number, found '2' \(str\)"),
        ("turn", np.True_, r"Prediction.turn: expected a whole number"),
        ("videos", "a.mp4", r"Prediction.videos: expected ids in a list or tuple, best first"),
        ("videos", {"a.mp4"}, r"Prediction.videos: expected ids in a list or tuple, best first"),
        ("videos", {"a.mp4": 0.5}, r"Prediction.videos: expected ids in a list or tuple"),
        ("videos", np.nan, r"found nan \(float\); None says that nothing is given"),
        ("videos", np.array(["a.mp4"])[0], r"Prediction.videos: expected ids in a list or tuple"),
        ("videos", ["a.mp4", 3], r"Prediction.videos, entry 2: expected text, found 3 \(int\)"),
        ("choice", np.array([[1, 2]]), r"Prediction.choice, entry 1: expected text, found array"),
        ("choice", [pd.NA], r"Prediction.choice, entry 1: expected text, found <NA>"),
        ("moments", MOMENTS[0], r"Prediction.moments: expected Moment values in a list"),
        ("moments", [("a.mp4", 1, 2)], r"entry 1: expected a Moment, .* Moment.from_seconds\("),
        ("response", pd.NA, r"Prediction.response: expected text, found <NA> \(NAType\)"),
        ("response", np.nan, r"Prediction.response: expected text, found nan \(float\)"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_field_and_what_was_found(field, value, expected):
    with pytest.raises(TypeError, match=expected):
        Prediction(**{"dialogue_id": "d", "turn": 1, field: value})
