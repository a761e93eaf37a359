"""Answers of every kind are taken, in seconds; what is wrong is named with its turn and field."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import harness as ivcr
from harness.records import Moment
from tests.baselines.conftest import CAT, COOK, DOG, FOX

IDS = [DOG, CAT]


@pytest.fixture
def read(benchmark):
    """Read an answer to the first turn of a task."""
    turns = {}
    for dialogue in benchmark.dialogues(history="none", candidates="used"):
        for turn in dialogue:
            turns.setdefault(turn.task, turn)
            turn.abstain()

    def made(answer, task="video"):
        return benchmark.answer_reader("test").read(answer, turns[task])

    return made


@pytest.mark.parametrize("ids", [
    IDS, tuple(IDS), (each for each in IDS), np.array(IDS), np.array(IDS, object), pd.Series(IDS),
    pd.Index(IDS), dict.fromkeys(IDS).keys().__iter__(), {"videos": IDS},
    {"videos": np.array(IDS), "moments": None},
], ids=lambda each: type(each).__name__)  # fmt: skip
def test_rankings_of_every_kind(read, ids):
    assert read(ids).videos == (DOG, CAT)
    assert all(type(each) is str for each in read(IDS).videos)


@pytest.mark.parametrize(("start", "end"), [
    *((number(1.25), number(2.5)) for number in (float, np.float32, Decimal, Fraction, np.array)),
    tuple(pd.Series([1.25, 2.5])), tuple(np.array([1.25, 2.5])),
])  # fmt: skip
def test_seconds_of_every_type(read, start, end):
    expected = (Moment(COOK, 1250, 2500),)
    named = {"video_id": np.str_(COOK), "start": start, "end": end}
    for entry in ((COOK, start, end), [COOK, start, end], named):
        assert read([entry], "moment").moments == expected


def test_whole_seconds_are_seconds(read):
    found = read(iter([(COOK, 1, np.int64(2))]), "moment").moments
    assert found == (Moment(COOK, 1000, 2000),)
    table = np.array([[COOK, 1, 2.5]], dtype=object)  # (1, 3)
    assert read(table, "moment").moments == (Moment(COOK, 1000, 2500),)


def test_an_end_just_past_the_video_is_clipped_as_in_a_file(read):
    assert read([(COOK, 39, 40.4)], "moment").moments == (Moment(COOK, 39_000, 40_000),)


def test_fields_beside_the_one_that_is_asked_for(read):
    found = read({"videos": [CAT], "choice": [DOG], "response": np.str_("this one")})
    assert (found.videos, found.choice, found.response) == ((CAT,), (DOG,), "this one")


@pytest.mark.parametrize(("task", "answer"), [("video", []), ("moment", ()), ("chat", "")])
def test_what_is_empty_abstains(read, task, answer):
    assert read(answer, task)


NAN = float("nan")
WRONG = [
    ("video", None, "expected an answer, found None; a video turn: give video ids in a list"),
    ("video", DOG, "expected a list, found 'A/dog.mp4' (str)"),
    ("video", 0.5, "videos: expected a list, found 0.5 (float)"),
    ("video", {DOG, CAT}, "videos: expected a list, found {"),
    ("video", {DOG: 0.5}, "unknown field 'A/dog.mp4' (str); expected videos, moments, choice,"),
    ("video", {"video": IDS}, "unknown field 'video' (str); did you mean videos?"),
    ("video", [(DOG, 0.5)], "videos, entry 1: expected text, found ('A/dog.mp4', 0.5) (tuple);"),
    ("video", pd.Series([DOG, NAN]), "videos, entry 2: expected text, found nan (float)"),
    ("video", np.array([IDS]), "videos: expected a list, found the shape (1, 2)"),
    ("video", pd.DataFrame({"v": IDS}), "videos: expected a list, found the shape (2, 1)"),
    ("video", ["A/owl.mp4"], "videos: video A/owl.mp4 at rank 1 is not in the corpus of split"),
    ("video", [DOG, DOG], "videos: video A/dog.mp4 is at rank 1 and again at rank 2; keep the"),
    ("video", [f"{n}" for n in range(101)], "at rank 1 is not in the corpus"),
    ("video", {"moments": [(CAT, 0, 1)]}, 'videos: a video turn needs "videos" or "choice"'),
    ("video", {"choice": [FOX]}, "choice: choice A/fox.mp4 at rank 1 is none of the turn's 2"),
    ("moment", (CAT, 0, 1), "moments, entry 1: expected (video_id, start, end), found 'A/cat.mp4'"),
    ("moment", [(0, 1)], "moments, entry 1: expected (video_id, start, end), found (0, 1) (tuple)"),
    ("moment", [(7, 0, 1)], "moments, entry 1, video_id: expected text, found 7 (int)"),
    ("moment", [(CAT, 0, 1), (CAT, 1, NAN)], "moments, entry 2, end: expected seconds as a finite"),
    ("moment", [(CAT, 0, np.inf)], "moments, entry 1, end: expected seconds as a finite number"),
    ("moment", [(CAT, "0", 1)], "moments, entry 1, start: expected seconds as a finite number, "),
    ("moment", [(CAT, False, 1)], "moments, entry 1, start: expected seconds as a finite number"),
    ("moment", [(CAT, np.False_, 1)], "moments, entry 1, start: expected seconds as a finite"),
    ("moment", [(CAT, np.array([0.0]), 1)], "moments, entry 1, start: expected seconds as a"),
    ("moment", [{"video": CAT, "start": 0, "end": 1}], "expected (video_id, start, end), found {"),
    ("moment", {"moments": {"video_id": CAT, "start": 0, "end": 1}}, "moments: expected a list"),
    ("moment", np.zeros((1, 3, 1)), "moments: expected a list, found the shape (1, 3, 1)"),
    ("moment", [(CAT, 3, 1)], "moments: moment starts at 3.0 s and ends before, at 1.0 s;"),
    ("moment", [(CAT, 1, 1.0001)], "moments: moment starts and ends at 1.0 s"),
    ("moment", [(CAT, 1000, 5000)], "as milliseconds it would fit: divide by 1000"),
    ("chat", ["hello"], "expected a text, found ['hello'] (list); a chat turn: give a text"),
    ("chat", {"response": 5}, "response: expected text, found 5 (int)"),
    ("chat", "\ud800", "response: expected text, found half a character"),
    ("chat", "a" * 100_001, "response: expected at most 100,000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "answer", "expected"), WRONG)
def test_what_is_wrong_is_named_with_split_turn_field_and_next_step(read, task, answer, expected):
    with pytest.raises(ivcr.SubmissionError) as found:
        read(answer, task)
    message = str(found.value)
    assert message.startswith("split test, turn d0000")
    assert expected in message
    assert "\n" not in message


def test_more_problems_than_one_are_counted(read):
    with pytest.raises(ivcr.SubmissionError, match=r"\[V100\] \(and 1 more\)$"):
        read(["A/owl.mp4", "A/elk.mp4"])
