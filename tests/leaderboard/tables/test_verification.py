"""Verification: the same document agrees with itself, and any other figure is named."""

import json

import pytest

from leaderboard.tables.verification import differences


@pytest.fixture
def stored(board):
    file = sorted(board.submissions.glob("*/*/scores.json"))[0]
    key = f"{file.parent.parent.name}/{file.parent.name}"
    (entry,) = [entry for entry in board.found.entries if entry.key == key]
    return entry.scores, json.loads(file.read_text())


def test_a_document_agrees_with_itself(stored):
    scores, document = stored
    assert differences(scores, json.dumps(document).encode()) == []


@pytest.mark.parametrize("bound", ["value", "low", "high", "turns", "dialogues"])
def test_every_part_of_a_figure_is_compared(stored, bound):
    scores, document = stored
    document["metrics"]["turn=2"]["MRR"][bound] += 1e-6 if bound in ("value", "low", "high") else 1
    (line,) = differences(scores, json.dumps(document).encode())
    assert line.startswith(f'"MRR" on "turn=2": {bound} is ')


def test_a_figure_that_one_side_lacks_is_named(stored):
    scores, document = stored
    del document["metrics"]["all"]["R@1"]
    document["metrics"]["all"]["new"] = {"value": None, "why": "added"}
    document["submission"]["team"] = "others"
    lines = differences(scores, json.dumps(document).encode())
    assert lines == [
        "submission differs",
        '"R@1" on "all": scored again, there is none',
        '"new" on "all": missing in scores.json',
    ]
