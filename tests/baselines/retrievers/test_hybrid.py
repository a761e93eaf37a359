"""Fused ranks against hand computation; members are named in one setting, with good errors."""

import json
from fractions import Fraction

import pytest

from baselines.base import Query, View
from baselines.registry import find, load
from baselines.retrievers.hybrid import fused
from baselines.running.composition import members
from harness.errors import WrongUsageError
from tests.baselines.conftest import CAT, DOG, FOX


def test_fusion_is_the_papers_sum():
    found = fused([(1, ["a", "b", "c"]), (2, ["c", "a"])])
    hand = {
        "a": Fraction(1, 61) + Fraction(2, 62),
        "b": Fraction(1, 62),
        "c": Fraction(1, 63) + Fraction(2, 61),
    }
    assert dict(found) == pytest.approx({name: float(value) for name, value in hand.items()})


def ranking(benchmark, setting, text, *more):
    baseline, _ = load(find("hybrid"), [f"members={setting}", *more])
    corpus = benchmark.split("test").corpus
    baseline.prepare(View(benchmark.videos, corpus, benchmark.folder, "own", 0))
    candidates = (CAT, FOX, DOG) if "candidates=used" in more else ()
    (answer,) = baseline.answer([Query("d", 1, "en", "video", text, candidates)])
    return answer


def test_one_member_ranks_as_it_does_alone_and_weights_decide(toy):
    text = "a cat or a dog on a beach"
    alone = ranking(toy, "bm25", text).videos
    assert ranking(toy, "bm25;bm25", text).videos == alone
    assert alone[:2] == (DOG, CAT)


def test_candidates_are_fused_too_and_stand_in_the_given_order_where_nothing_is_known(toy):
    answer = ranking(toy, "bm25", "a dog on a beach", "candidates=used")
    assert answer.choice == (DOG, CAT, FOX)


def test_a_run_with_one_member_equals_the_members_own(toy, said):
    for history in ("none", "own", "reference"):
        fused_, own = (
            said("hybrid", toy, history, "members=bm25"),
            said("bm25", toy, history),
        )
        assert fused_ == own


def test_settings_go_to_the_members(toy):
    (first, second) = members("2*bm25?context=all ; bm25", "members", "unused")
    assert (first.weight, second.weight) == (2, 1)
    assert (first.settings.context, second.settings.context) == ("all", "last")
    (clip,) = members("clip?checkpoint=/a%3Bb%26c&most=3", "members", "unused")
    assert (clip.settings.checkpoint, clip.settings.most) == ("/a;b&c", 3)


def test_provenance_is_that_of_the_members(toy):
    baseline, _ = load(find("hybrid"), ["members=3*bm25?context=all;bm25"])
    baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0))
    told = baseline.provenance()
    assert told.details["members"] == [
        {"name": "bm25", "weight": 3.0, "settings": {"context": "all"}, "details": {}},
        {"name": "bm25", "weight": 1.0, "settings": {}, "details": {}},
    ]
    assert json.loads(json.dumps(told.details)) == told.details


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", "expected NAME"),
        (" ; ", "expected NAME"),
        ("bm52", "did you mean bm25"),
        ("bm25?contxt=all", "did you mean context"),
        ("x*bm25", "expected a weight above 0"),
        ("-1*bm25", "expected a weight above 0"),
        ("nan*bm25", "expected a weight above 0"),
        ("bm25?candidates=used", "set candidates=used for the whole"),
        ("candidate_vote", "reads candidates"),
        ("train_prior", "reads the train split"),
        ("bm25;sliding_window", "sliding_window is a localiser, expected what ranks videos"),
        ("bm25?context=\x1b[31m", "context is one of"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_in_one_line(setting, expected):
    with pytest.raises(WrongUsageError, match=expected) as refusal:
        load(find("hybrid"), [f"members={setting}"])
    assert str(refusal.value).isprintable()
