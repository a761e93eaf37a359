"""No scores.json is read that the published schema, on the whole document, refuses."""

import copy
import json
import random

import pytest

from harness.errors import SubmissionError
from harness.schemas.documents import require
from leaderboard.board.documents import scores_document

CELL = {"value": 0.5, "low": 0.25, "high": 1.0, "turns": 40, "dialogues": 9}
NONE = {"value": None, "why": "no line of the submission has `videos`"}
SOUND = {
    "schema": 1,
    "signature": "ivcr|v:0.1.0",
    "protocol": "ivcr",
    "benchmark": {"name": "b", "version": "1", "fingerprint": "a" * 64, "gold_sha256": "b" * 64,
                  "split": "test"},
    "submission": {"team": "T", "system": "S", "history": "own", "candidates": "unused",
                   "sha256": "c" * 64},
    "metrics": {
        "all": {"R@1": CELL, "R@5": {**CELL, "low": None, "high": None}, "MRR": NONE, "mIoU": CELL},
        "turn=1": {"R@1": CELL, "R@5": NONE, "MRR": {**CELL, "value": 1.0}},
        "tag=order": {"R@1": {**CELL, "turns": 0}, "R@5": CELL},
    },
}  # fmt: skip
VALUES = [None, "", "x", 0, 1, -1, 2.0, -0.5, 0.5, 1.5, True, [], {}, [0.5], {"value": 0.5}]


def changed(rng):
    """The sound document with one or two values replaced, keys renamed or left out."""
    document = copy.deepcopy(SOUND)
    for _ in range(rng.randint(1, 2)):
        at = document if rng.random() < 0.1 else document["metrics"]
        while isinstance(at, dict) and at:
            key = rng.choice(sorted(at))
            if not isinstance(at[key], dict) or rng.random() < 0.15:
                value = at.pop(key)
                if (kind := rng.random()) < 0.7:
                    at[key] = rng.choice(VALUES)
                elif kind < 0.85:
                    at[rng.choice(["why", "low", "turns", "other", "turn=2"])] = value
                break
            at = at[key]
        if not isinstance(document.get("metrics"), dict):
            break
    return document


def refused(call):
    try:
        call()
    except SubmissionError:
        return True
    return False


def by_schema(document):
    require("scores", document, "scores.json", "", SubmissionError)


def test_the_sound_document_is_read(tmp_path):
    (tmp_path / "scores.json").write_text(json.dumps(SOUND))
    assert scores_document(tmp_path) == SOUND


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_read_that_the_schema_refuses(tmp_path, seed):
    rng, verdicts = random.Random(seed), []
    for _ in range(250):
        document = changed(rng)
        (tmp_path / "scores.json").write_text(json.dumps(document))
        verdict = refused(lambda whole=document: by_schema(whole))
        assert refused(lambda: scores_document(tmp_path)) or not verdict, document
        verdicts.append(verdict)
    assert 10 < sum(verdicts) < 240, "both verdicts occur"
