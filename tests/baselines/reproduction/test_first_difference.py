"""Predictions side by side: exact, within the tolerance, or the first turn that differs."""

import gzip
import json

import pytest

from baselines.reproduction.first_difference import TOLERANCE, compare_predictions
from harness.errors import SubmissionError

MOMENT = {"video_id": "a", "start": 1.0, "end": 2.0}
LINES = [
    {"dialogue_id": "d1", "turn": 1, "videos": ["a", "b", "c"]},
    {"dialogue_id": "d1", "turn": 2, "moments": [MOMENT, {"video_id": "b", "start": 0, "end": 9}]},
    {"dialogue_id": "d2", "turn": 1, "choice": ["b"], "response": "hello"},
]


@pytest.fixture
def folder(tmp_path):
    made = iter(range(9))

    def write(lines, packed=False):
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        place = tmp_path / str(next(made))
        place.mkdir()
        if packed:
            (place / "predictions.jsonl.gz").write_bytes(gzip.compress(data))
        else:
            (place / "predictions.jsonl").write_bytes(data)
        return place

    return write


def changed(at, **values):
    return [line | (values if n == at else {}) for n, line in enumerate(LINES)]


def moved(milliseconds):
    other = MOMENT | {"end": (2000 + milliseconds) / 1000}
    return changed(1, moments=[other, LINES[1]["moments"][1]])


def test_the_same_bytes_are_exact_however_they_are_packed(folder):
    found = compare_predictions(folder(LINES), folder(LINES, packed=True))
    assert (found.kind, found.turns, found.first) == ("exact", 3, None)


@pytest.mark.parametrize("milliseconds", [-TOLERANCE, -1, 1, TOLERANCE])
def test_moments_may_move_by_the_tolerance(folder, milliseconds):
    found = compare_predictions(folder(LINES), folder(moved(milliseconds)))
    assert (found.kind, found.moved, found.most) == ("within tolerance", 1, abs(milliseconds))


@pytest.mark.parametrize(
    ("other", "part", "turn"),
    [
        (moved(TOLERANCE + 1), "moments", ("d1", 2)),
        (changed(1, moments=[MOMENT]), "moments", ("d1", 2)),
        (changed(1, moments=LINES[1]["moments"][::-1]), "moments", ("d1", 2)),
        (changed(0, videos=["a", "c", "b"]), "videos", ("d1", 1)),
        (changed(0, videos=["a", "b"]), "videos", ("d1", 1)),
        (changed(2, choice=[]), "choice", ("d2", 1)),
        (changed(2, response="Hello"), "response", ("d2", 1)),
        (changed(0, moments=[MOMENT]), "moments", ("d1", 1)),
        (changed(2, turn=2), "turn", ("d2", 1)),
        (LINES[:2], "turn", ("d2", 1)),
        ([*LINES, LINES[2] | {"turn": 2}], "turn", ("d2", 2)),
    ],
)
def test_whatever_else_differs_is_named(folder, other, part, turn):
    found = compare_predictions(folder(LINES), folder(other))
    assert (found.kind, found.unlike) == ("differs", 1)
    assert (found.first.dialogue_id, found.first.turn) == turn
    assert found.first.part == part
    assert found.first.recorded != found.first.again


def test_the_first_of_several_is_named_and_all_are_counted(folder):
    other = [LINES[0], *(line | {"response": "x"} for line in LINES[1:])]
    found = compare_predictions(folder(LINES), folder(other))
    assert (found.unlike, found.first.dialogue_id, found.first.turn) == (2, "d1", 2)


def test_a_changed_response_hides_behind_no_moved_moment(folder):
    other = moved(1)
    other[1] = other[1] | {"response": "new"}
    assert compare_predictions(folder(LINES), folder(other)).first.part == "response"


def test_what_is_no_predictions_is_refused(folder, tmp_path):
    with pytest.raises(SubmissionError, match="a line of the predictions is none"):
        compare_predictions(folder([{"dialogue_id": 1}]), folder(LINES))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SubmissionError, match="expected one file of predictions, found 0"):
        compare_predictions(tmp_path / "empty", folder(LINES))
    long = folder([LINES[0] | {"response": "x" * (1 << 20)}])
    with pytest.raises(SubmissionError, match="expected lines of at most"):
        compare_predictions(long, folder(LINES))
