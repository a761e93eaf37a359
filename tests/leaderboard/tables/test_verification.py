"""Verification: the same document agrees with itself, and any other figure is named."""

import json

import pytest

from leaderboard.board.recomputation import differences


@pytest.fixture
def stored(board):
    file = sorted(board.submissions.glob("*/*/scores.json"))[0]
    return tuple(json.loads(file.read_text()) for _ in range(2))


def test_a_document_agrees_with_itself(stored):
    assert differences(*stored) == []


@pytest.mark.parametrize("bound", ["value", "low", "high", "turns", "dialogues"])
def test_every_part_of_a_figure_is_compared(stored, bound):
    scores, document = stored
    document["metrics"]["turn=2"]["MRR"][bound] += 1e-6 if bound in ("value", "low", "high") else 1
    (line,) = differences(scores, document)
    assert line.startswith(f'"MRR" on "turn=2": {bound} is ')


def leaves(value, keys=()):
    """The keys that lead to each value that is no object."""
    if not isinstance(value, dict):
        yield keys
        return
    for key, inner in value.items():
        yield from leaves(inner, (*keys, key))


def test_whatever_stands_in_the_document_is_compared(stored):
    scores, document = stored
    few = {
        part: {name: cells[name] for name in ("R@1", "BLEU-4") if name in cells}
        for part, cells in document["metrics"].items()
    }
    scores["metrics"] = document["metrics"] = few
    places = list(leaves(document))
    assert any(keys[-1] == "why" for keys in places)
    assert len(places) > 100
    for *way, last in places:
        other = json.loads(json.dumps(document))
        inner = other
        for key in way:
            inner = inner[key]
        value = inner[last]
        inner[last] = f"{value}." if isinstance(value, str) else 0 if value is None else None
        assert differences(scores, other), (*way, last)
        del inner[last]
        assert differences(scores, other), (*way, last)
        assert differences(other, scores), (*way, last)


def test_a_figure_that_one_side_lacks_is_named(stored):
    scores, document = stored
    del document["metrics"]["all"]["R@1"]
    document["metrics"]["all"]["new"] = {"value": None, "why": "added"}
    document["submission"]["team"] = "others"
    lines = differences(scores, document)
    assert lines == [
        f'submission.team is "{scores["submission"]["team"]}", scored again "others"',
        '"R@1" on "all": scored again, there is none',
        '"new" on "all": missing in scores.json',
    ]
