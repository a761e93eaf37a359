"""The dialogues on which two systems differ most: their order, their turns, what is left out."""

import pytest

from harness.comparison import compare
from tests.comparison.worlds import WRONG, submit, video, world

DIALOGUES = [(1, "v0"), (1, "v1 v2 v3"), (7, "v4 v5 v6 v7 v8"), (1, "v9 c m10"), (1, "v11 v12"),
             (0, "c"), (1, "v13 v14")]  # fmt: skip
ONE = ("1", "110", "11111", "101", "10", "1", "11")
TWO = ("1", "001", "00000", "010", "01", "1", "10")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return world(tmp_path_factory.mktemp("bench"), *DIALOGUES)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, bench):
    folder = tmp_path_factory.mktemp("runs")
    return [submit(folder / "one", bench, *ONE), submit(folder / "two", bench, *TWO)]


def numbers(found):
    return [int(each.dialogue_id[1:7]) for each in found.dialogues]


def test_the_greatest_balance_comes_first_then_the_most_turns_then_the_order(bench, runs):
    # Balances: 0, 1 (three turns differ), type 7, 2, 0 (two turns differ), chat, 1.
    assert numbers(compare(runs, bench, dialogues=9)) == [3, 1, 6]
    assert numbers(compare(runs[::-1], bench, dialogues=9)) == [3, 1, 6]
    assert numbers(compare(runs, bench, dialogues=2)) == [3, 1]
    assert numbers(compare(runs, bench, dialogues=0)) == []


def test_each_turn_shows_its_gold_and_what_both_said(bench, runs):
    seen = compare(runs, bench, dialogues=1).dialogues[0]
    assert (seen.first_right, seen.second_right, seen.turns) == (2, 0, 2)
    first, chat, moment = seen.seen
    assert (first.gold, first.first.rank, first.first.video) == (video(9), 1, video(9))
    assert (first.second.right, first.second.rank, first.second.video) == (False, None, WRONG)
    assert (chat.task, chat.gold, chat.first.right, chat.second.video) == ("chat", None, None, None)
    assert moment.span == (5_000, 15_000)
    assert (moment.first.iou, moment.second.iou) == (1, 0)
    assert (moment.second.moment.start, moment.second.moment.end) == (20_000, 25_000)


def test_turns_of_a_task_that_one_system_never_answers_do_not_count(tmp_path, bench, runs):
    mute = submit(tmp_path / "mute", bench, *(*ONE[:3], "10-", *ONE[4:]))
    found = compare([mute, runs[1]], bench, dialogues=9)
    assert numbers(found) == [1, 3, 6]
    assert found.dialogues[1].turns == 1
    assert found.dialogues[1].seen[2].first.right is None


def test_each_pair_has_dialogues_of_its_own(tmp_path, bench, runs):
    found = compare([*runs, submit(tmp_path / "copy", bench, *ONE)], bench, dialogues=1)
    assert [(each.first, each.second) for each in found.dialogues] == [("A", "B"), ("B", "C")]
