"""Fused ranks against hand computation; members are named in one setting, with good errors."""

import json
from fractions import Fraction

import numpy as np
import pytest

from baselines.base import Exchange, MemberConfig, Query, View
from baselines.ranking import UNRANKED
from baselines.registry import find, load
from baselines.retrievers.hybrid import fused, standardised
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


BM25 = MemberConfig("bm25")


def hybrid(*members, candidates="unused"):
    """A hybrid of members, which is not prepared."""
    return load(find("hybrid"), (), {"member": members, "candidates": candidates})[0]


def ranking(benchmark, members, text, candidates="unused"):
    baseline = hybrid(*members, candidates=candidates)
    corpus = benchmark.split("test").corpus
    baseline.prepare(View(benchmark.videos, corpus, benchmark.folder, "own", 0))
    shown = (CAT, FOX, DOG) if candidates == "used" else ()
    (answer,) = baseline.answer([Query("d", 1, "en", "video", text, shown)])
    return answer


def test_one_member_ranks_as_it_does_alone_and_weights_decide(toy):
    text = "a cat or a dog on a beach"
    alone = ranking(toy, [BM25], text).videos
    assert ranking(toy, [BM25, BM25], text).videos == alone
    assert alone[:2] == (DOG, CAT)


def test_candidates_are_fused_too_and_stand_in_the_given_order_where_nothing_is_known(toy):
    answer = ranking(toy, [BM25], "a dog on a beach", "used")
    assert answer.choice == (DOG, CAT, FOX)


def test_a_run_with_one_member_equals_the_members_own(toy, said, tmp_path):
    file = tmp_path / "one.toml"
    file.write_text('[[member]]\nbaseline = "bm25"\n')
    for history in ("none", "own", "reference"):
        assert said("hybrid", toy, history, str(file)) == said("bm25", toy, history)


def test_provenance_is_that_of_the_members(toy):
    baseline = hybrid(MemberConfig("bm25", {"context": "all"}, 3.0), BM25)
    baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0))
    details = baseline.provenance().details
    assert details["members"] == [
        {"name": "bm25", "weight": 3.0, "settings": {"context": "all"}, "details": {}},
        {"name": "bm25", "weight": 1.0, "settings": {}, "details": {}},
    ]
    assert json.loads(json.dumps(details)) == details


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], "hybrid: expected members, found none"),
        ([BM25, MemberConfig("bm52")], 'member 2: no baseline "bm52"; did you mean bm25'),
        ([MemberConfig("bm25", {"contxt": "all"})], "member 1: .*did you mean context"),
        ([MemberConfig("bm25", {}, -1.0)], "member 1: weight: expected a number above 0"),
        ([MemberConfig("bm25", {}, float("nan"))], "weight: expected a number above 0"),
        ([MemberConfig("bm25", {}, float("inf"))], "weight: expected a number above 0"),
        ([MemberConfig("bm25", {"candidates": "used"})], "set candidates=used for the whole"),
        ([MemberConfig("candidate_vote")], "reads candidates"),
        ([BM25, MemberConfig("sliding_window")], "member 2: sliding_window is a localiser"),
        ([MemberConfig("bm25", {"context": "\x1b[31m"})], "context is one of"),
    ],
)
def test_a_member_that_cannot_be_is_refused_in_one_line(members, expected):
    with pytest.raises(WrongUsageError, match=expected) as refusal:
        hybrid(*members)
    assert str(refusal.value).isprintable()


def test_scores_are_fused_as_their_distances_from_the_mean_in_deviations(toy):
    members = [BM25, MemberConfig("bm25", {"context": "all"}, 2.0)]
    fused_by = load(find("hybrid"), (), {"member": members, "fusion": "scores"})[0]
    view = View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0)
    fused_by.prepare(view)
    history = (Exchange("video", "rice in a kitchen", "", None, ()),)
    query = Query("d", 2, "en", "video", "a cat or a dog runs on a beach", history=history)
    rows = []
    for settings in ({"context": "last"}, {"context": "all"}):
        alone = load(find("bm25"), (), settings)[0]
        alone.prepare(view)
        row = alone.scores(query)
        kept = row[row > UNRANKED]
        z = (row - kept.mean()) / kept.std()
        rows.append(np.where(row > UNRANKED, z, z[row > UNRANKED].min()))
        known = row > UNRANKED
    hand = np.where(known, rows[0] + 2 * rows[1], UNRANKED)
    np.testing.assert_allclose(fused_by.scores(query), hand, atol=1e-12)
    (answer,) = fused_by.answer([query])
    order = np.argsort(-hand, kind="stable")[: known.sum()]
    assert answer.videos == tuple(view.corpus[at] for at in order)
    assert len(answer.videos) == 3


def test_one_member_by_its_scores_ranks_as_it_does_alone(toy, said, tmp_path):
    file = tmp_path / "one.toml"
    file.write_text(
        '[settings]\nfusion = "scores"\ncandidates = "used"\n[[member]]\nbaseline = "bm25"\n'
    )
    own = said("bm25", toy, "own", "candidates=used")
    assert said("hybrid", toy, "own", str(file)) == own
    assert any(prediction.choice for dialogue in own for prediction in dialogue)


def test_a_member_without_scores_cannot_be_fused_by_them():
    with pytest.raises(WrongUsageError, match="member 2: random gives no scores"):
        load(find("hybrid"), (), {"member": [BM25, MemberConfig("random")], "fusion": "scores"})


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([1.0, 3.0, UNRANKED], [-1, 1, UNRANKED]), ([2.0, 2.0], [0, 0]), ([UNRANKED], [UNRANKED])],
)
def test_standardised_scores(scores, expected):
    assert standardised(np.array(scores)).tolist() == expected
