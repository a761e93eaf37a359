"""Each reason to look holds where it should and nowhere else."""

import pytest

from harness.benchmark import Split
from harness.comparison.entrants import TopAnswer
from harness.items.reasons import LabelContext, fold, reasons
from harness.records import Gold, Moment, Span, Turn, Video

VIDEOS = {name: Video(name, 30_000) for name in "abc"} | {"d": Video("d", None)}
NOTHING, OTHER = TopAnswer(None, None), TopAnswer("b", None)


def case(task="video", words="find it", gold="a", span=(5_000, 15_000), candidates="abc",
         others=(), wrong=()):  # fmt: skip
    """A turn among `others`, given as (words, gold, span) of the same task."""
    rows = [(words, gold, span), *others]
    turns = [Turn(f"d{n}", 1, 1, "en", task, row[0]) for n, row in enumerate(rows)]
    answers = [
        Gold(turn.dialogue_id, 1, row[1], Span(*row[2]) if task == "moment" else None)
        for turn, row in zip(turns, rows, strict=True)
    ]
    lists = {turns[0].key: tuple(candidates)} if candidates else {}
    context = LabelContext.of(Split("test", tuple(turns), lists, tuple("abcd")), answers, VIDEOS)
    return context.evidence(turns[0], answers[0], wrong)


def moment(video, start, end):
    return TopAnswer(None, Moment(video, start, end))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"task": "moment"}, []),
        ({"words": " \t"}, ["empty utterance"]),
        ({"gold": "d"}, ["gold video not among the candidates"]),
        ({"gold": "d", "candidates": ""}, []),
        ({"task": "moment", "candidates": "bc"}, []),
        ({"others": [("Find  IT", "b", None)]},
         ["same words elsewhere with another gold video (2 in all)"]),
        ({"others": [("find it", "a", None), ("find him", "b", None)]}, []),
        ({"task": "moment", "others": [("find it", "b", (5_000, 15_000))]}, []),
        ({"task": "moment", "others": [("find it", "a", (5_000, 15_000))]}, []),
        ({"task": "moment", "others": [("find it", "a", (5_000, 15_001))]},
         ["same words elsewhere with another span of this video (2 in all)"]),
        ({"task": "moment", "span": (20_000, 30_000)}, []),
        ({"task": "moment", "span": (20_000, 30_001)},
         ["gold span ends past the video's end (30.0 s)"]),
        ({"task": "moment", "span": (30_000, 31_000)},
         ["gold span begins past the video's end (30.0 s)"]),
        ({"task": "moment", "span": (30_000, 99_000), "gold": "d"}, []),
        ({"task": "moment", "span": (2_000, 2_999)}, ["very short gold span (0.999 s)"]),
        ({"task": "moment", "span": (2_000, 3_000)}, []),
        ({"task": "moment", "span": (1_500, 30_000)}, ["gold span is 95 % of the video"]),
        ({"task": "moment", "span": (1_501, 30_000)}, []),
        ({"wrong": [OTHER, OTHER, TopAnswer("c", None)]},
         ["2 of the 3 systems that miss it put the same other video first"]),
        ({"wrong": [OTHER, OTHER, TopAnswer("c", None), NOTHING]}, []),
        ({"wrong": [OTHER]}, []),
        ({"wrong": [NOTHING, NOTHING, NOTHING]}, []),
        ({"task": "moment", "wrong": [moment("a", 0, 10_000), moment("a", 5_000, 10_000)]},
         ["2 of the 2 systems that miss it agree on another moment (IoU >= 0.5 with one of "
          "theirs)"]),
        ({"task": "moment", "wrong": [moment("a", 0, 10_000), moment("a", 5_001, 10_000)]}, []),
        ({"task": "moment", "wrong": [moment("a", 0, 10_000), moment("b", 0, 10_000)]}, []),
    ],
)  # fmt: skip
def test_reasons(given, expected):
    assert list(reasons(case(**given))) == expected


def test_several_reasons_stand_side_by_side():
    found = reasons(case("moment", "", "a", (29_500, 30_100)))
    assert found == (
        "empty utterance",
        "gold span ends past the video's end (30.0 s)",
        "very short gold span (0.6 s)",
    )


def test_case_and_spaces_are_no_difference_of_words():
    assert fold(" Find\u3000IT\n") == fold("find it")
