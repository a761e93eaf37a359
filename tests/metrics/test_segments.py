"""Segments: where they begin and end, and their metrics on cases that a person can count."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.outcomes.structure import count_earlier, segments
from harness.records import Prediction
from harness.scoring import design_of, figures

from .conftest import SOURCES, VIDEOS, make_split
from .generated import conversation

SEGMENT = ("cumHit@10", "BRI@100", "nsDCG")


def scored(rows, ranks, gold_in_history=False):
    """Figures of turns whose gold stands at these ranks (None: absent)."""
    given = []
    for row, rank in zip(rows, ranks, strict=True):
        others = [name for name in VIDEOS if name != row[5]]
        videos = [] if rank is None else [*others[: rank - 1], row[5]]
        given.append(Prediction(row[0], row[1], tuple(videos), None, None, ""))
    found = outcomes(*make_split(rows), given, SOURCES, gold_in_history=gold_in_history)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    return figures(found.frame, columns, design_of(found.frame), hidden=False)


def of_ranks(*ranks, **more):
    rows = [("d", n, 1, "en", "video", VIDEOS[0], {}) for n in range(1, len(ranks) + 1)]
    return scored(rows, ranks, **more)


def test_best_log_rank_of_the_published_example():
    assert of_ranks(50, 9, 9, 1)["all"]["BRI@100"]["value"] == pytest.approx(2.116820, abs=5e-7)
    # The best rank so far counts: a later, worse rank changes nothing.
    assert of_ranks(50, 9, 40, 1)["all"]["BRI@100"]["value"] == pytest.approx(2.116820, abs=5e-7)


def test_an_absent_video_has_rank_101_in_the_log_rank_and_no_gain():
    cells = of_ranks(None, None)["all"]
    assert cells["BRI@100"]["value"] == pytest.approx(np.log(101))
    assert cells["nsDCG"]["value"] == 0
    assert cells["cumHit@10"]["value"] == 0


def test_session_gain_is_discounted_by_turn_and_by_rank():
    # Turn 4 has the discount 1 + log_4 4 = 2, turn 2 has 3/2; rank 3 gains 1/2.
    cells = of_ranks(3, 1, None, 1)["all"]
    turn_3 = 1 / (1 + np.log(3) / np.log(4))
    expected = (1 / 2 + 2 / 3 + 0 + 1 / 2) / (1 + 2 / 3 + turn_3 + 1 / 2)
    assert cells["nsDCG"]["value"] == pytest.approx(expected)
    assert of_ranks(1, 1)["all"]["nsDCG"]["value"] == 1


def test_hits_add_up_over_the_turns_of_segments():
    rows = [("d", n, 1, "en", "video", VIDEOS[0], {}) for n in (1, 2, 3)]
    rows += [("e", n, 1, "en", "video", VIDEOS[1], {}) for n in (1, 2)]
    document = scored(rows, [11, 10, 99, 40, None])
    by_turn = {t: document[f"segment_turn={t}"] for t in (1, 2, 3)}
    assert [by_turn[t]["cumHit@10"]["value"] for t in (1, 2, 3)] == [0, 1 / 2, 1]
    assert [by_turn[t]["cumHit@10"]["turns"] for t in (1, 2, 3)] == [2, 2, 1]
    assert all(set(cells) == {"cumHit@10"} for cells in by_turn.values())
    assert document["all"]["cumHit@10"]["value"] == 1 / 2
    assert document["all"]["BRI@100"]["turns"] == 2


def test_nothing_is_said_where_the_target_has_been_told():
    cells = of_ranks(5, 3, gold_in_history=True)["all"]
    assert all("has been told" in cells[name]["why"] for name in SEGMENT)
    assert cells["R@5"]["value"] == 1


@pytest.mark.parametrize(
    ("tasks", "targets", "turns"),
    [
        ("vvv", "aaa", [1, 2, 3]),
        ("vvvv", "aabb", [1, 2, 1, 2]),
        ("vmv", "aaa", [0, 0, 0]),
        ("vvcvv", "aaaaa", [1, 2, 0, 1, 2]),
        ("vvv", "aba", [0, 0, 0]),
        ("v", "a", [0]),
    ],
    ids=["one run", "a new target", "a moment turn ends it", "so does a chat turn",
         "targets in turn", "a run of one"],
)  # fmt: skip
def test_segments_are_runs_of_video_turns_with_one_target(tasks, targets, turns):
    rows = [
        ("d", n, 1, "en", {"v": "video", "m": "moment", "c": "chat"}[task],
         None if task == "c" else VIDEOS[ord(target)], {"moment": (0, 9)} if task == "m" else {})
        for n, (task, target) in enumerate(zip(tasks, targets, strict=True), start=1)
    ]  # fmt: skip
    found = outcomes(*make_split(rows), [None] * len(rows), SOURCES)
    assert found.frame.segments.turn.tolist() == turns


def test_segments_do_not_cross_dialogues_and_leave_type_7_out():
    rows = [("d", 1, 1, "en", "video", VIDEOS[0], {}), ("e", 1, 1, "en", "video", VIDEOS[0], {})]
    rows += [("f", n, 7, "en", "video", VIDEOS[0], {}) for n in (1, 2)]
    found = outcomes(*make_split(rows), [None] * 4, SOURCES)
    assert found.frame.segments.turn.tolist() == [0, 0, 0, 0]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.booleans()), max_size=30))
def test_structure_equals_looking_back_turn_by_turn(turns):
    is_video = np.array([ask for ask, _, _ in turns], dtype=bool)
    video = np.array([target for _, target, _ in turns], dtype=np.int64)
    dialogue = np.cumsum([new for _, _, new in turns], dtype=np.int64)
    dialogue -= dialogue[0] if len(turns) else 0
    places, counts = [], []
    for row in range(len(turns)):
        back = row
        while back and is_video[back] and is_video[back - 1] and (
            (dialogue[back - 1], video[back - 1]) == (dialogue[row], video[row])
        ):  # fmt: skip
            back -= 1
        places.append(row - back + 1 if is_video[row] else 0)
        counts.append(sum(is_video[n] for n in range(row) if dialogue[n] == dialogue[row]))
    follows = [*places, 0][1:]
    alone = [place == 1 and after != 2 for place, after in zip(places, follows, strict=True)]
    found = segments(is_video, dialogue, video)
    expected = [0 if single else place for place, single in zip(places, alone, strict=True)]
    assert found.turn.tolist() == expected
    assert found.last.tolist() == [
        place > 1 and after != place + 1 for place, after in zip(expected, follows, strict=True)
    ]
    assert count_earlier(is_video, dialogue).tolist() == counts


@pytest.mark.parametrize("seed", range(4))
def test_hits_never_fall_and_log_ranks_lie_between_best_and_worst(seed):
    found = outcomes(*conversation(seed), SOURCES)
    hits, turn = METRICS["cumHit@10"].column(found).values, found.frame.segments.turn
    for one, other in pairwise(range(len(turn))):
        if turn[other] > 1:
            assert hits[one] <= hits[other]
    column = METRICS["BRI@100"].column(found)
    values = column.values[column.counted]
    assert ((values >= 0) & (values <= np.log(101))).all()
