"""Which entry answers which item, in files with entries missing, doubled, reordered, prefixed."""

import pytest

from harness.protocols.items import Item
from harness.protocols.joining import AMBIGUOUS, NO_ENTRY, join, question_of
from harness.protocols.result_file import ResultEntry
from harness.protocols.source import SourceDialogue, SourceTurn

MARK = "<VID> 1 </VID> <VIDEO> <VIDEOTOKEN> </VIDEO>"


def asked(*utterances):
    turns = [SourceTurn("video", text, "", "a", ()) for text in utterances]
    return [Item(SourceDialogue("d", 1, (turn,)), 1) for turn in turns]


def entries(text):
    """Entries from "question:output" words."""
    return [ResultEntry(*word.split(":")) for word in text.split()]


def test_a_file_in_item_order_is_joined_by_position():
    found = join(asked("a", "b", "a"), entries("a:1 b:2 a:3"))
    assert found.entries == (0, 1, 2)
    assert found.aligned


def test_prefixed_questions_are_in_item_order_too():
    given = [
        ResultEntry(f"Candidate videos : {MARK},{MARK}.a", "1"),
        ResultEntry(f"Current video : {MARK}.0.0s, 2.1s. b", "2"),
    ]
    assert join(asked("a", "b"), given).entries == (0, 1)


def test_a_missing_entry_shifts_nothing():
    found = join(asked("a", "b", "c", "d"), entries("a:1 c:3 d:4"))
    assert found.entries == (0, None, 1, 2)
    assert found.why[1] == NO_ENTRY


def test_a_truncated_file_keeps_its_places():
    assert join(asked("a", "b", "a", "b"), entries("a:1 b:2")).entries == (0, 1, None, None)


def test_a_doubled_entry_shifts_nothing():
    found = join(asked("a", "b", "c"), entries("a:1 a:9 b:2 c:3"))
    assert found.entries == (0, 2, 3)
    assert found.spare == 1


def test_a_reordered_file_is_joined_by_question():
    assert join(asked("a", "b", "c"), entries("c:3 a:1 b:2")).entries == (1, 2, 0)


def test_repeated_questions_in_order_are_told_apart():
    # The stray entry breaks the alignment; the questions of one item each stand in order.
    found = join(asked("a", "b", "a", "c"), entries("x:0 a:1 b:2 a:3 c:4"))
    assert found.entries == (1, 2, 3, 4)
    assert found.strays == 1


def test_repeated_questions_out_of_order_are_not():
    found = join(asked("a", "b", "a", "c"), entries("c:4 a:1 a:3 b:2"))
    assert found.entries == (None, 3, None, 0)
    assert found.why == (AMBIGUOUS, None, AMBIGUOUS, None)


def test_repeated_questions_with_one_entry_missing_are_not():
    found = join(asked("b", "a", "a"), entries("a:1 b:2"))
    assert found.why == (None, AMBIGUOUS, AMBIGUOUS)


def test_repeated_questions_with_one_answer_need_not_be_told_apart():
    found = join(asked("a", "b", "a"), entries("b:2 a:1 a:1"))
    assert found.entries == (1, 0, 2)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("a.b", "a.b"),
        (f"Candidate videos : {MARK},{MARK}.a.b", "a.b"),
        (f"Current video : {MARK}.This frame is sampled at 0.5s, 1.5s.a.b", "a.b"),
        ("Another prefix. a.b", None),
        (f"Candidate videos : {MARK}.something else", None),
    ],
)
def test_the_prefix_is_taken_off(question, found):
    assert question_of(question, {"a.b"}) == found


def test_no_entries_at_all():
    assert join(asked("a"), []).entries == (None,)
    assert join([], []).entries == ()
