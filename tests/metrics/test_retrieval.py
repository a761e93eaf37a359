"""Ranking metrics against pytrec_eval, and against cases that a person can check."""

import itertools
import random

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.records import ABSENT_RANK, Prediction

from .conftest import SOURCES, VIDEOS, make_split, random_case

TREC = {
    "R@1": "success_1",
    "R@5": "success_5",
    "R@10": "success_10",
    "R@100": "success_100",
    "MRR": "recip_rank",
    "nDCG@10": "ndcg_cut_10",
}


@pytest.mark.parametrize("name", TREC)
def test_ranking_metrics_equal_pytrec_eval(case, name):
    split, gold, predictions, found = case
    keys = [f"{turn.dialogue_id}-{turn.turn}" for turn in split.turns]
    asked = [row for row, turn in enumerate(split.turns) if turn.task == "video"]
    qrel = {keys[row]: {gold[row].video_id: 1} for row in asked}
    run = {
        key: {video: -float(place) for place, video in enumerate(given.videos)}
        for key, given in zip(keys, predictions, strict=True)
        if key in qrel and given is not None and given.videos
    }
    evaluator = pytrec_eval.RelevanceEvaluator(qrel, {"success", "recip_rank", "ndcg_cut"} | {
        "success.1,5,10,100", "ndcg_cut.10"})  # fmt: skip
    foreign = evaluator.evaluate(run)
    column = METRICS[name].column(found)
    for row, key in enumerate(keys):
        expected = foreign.get(key, {}).get(TREC[name], 0.0)
        if key in qrel:
            assert column.counted[row]
            assert column.values[row] == pytest.approx(expected, abs=1e-12)
        else:
            assert not column.counted[row]


def one_turn(prediction, gold="S0/0.mp4", **more):
    split, answers = make_split([("d", 1, 1, "en", "video", gold, more)])
    return outcomes(split, answers, [prediction], SOURCES)


def value(found, name):
    column = METRICS[name].column(found)
    return column.values[column.counted].tolist()


@pytest.mark.parametrize(
    ("videos", "choice", "expected"),
    [
        ((), ("S0/0.mp4",), 1),
        (("S0/0.mp4",), ("S1/1.mp4",), 0),
        (("S2/2.mp4", "S0/0.mp4", "S1/1.mp4"), None, 1),
        (("S2/2.mp4",), None, 0),
        ((), (), 0),
    ],
    ids=["chosen", "choice first", "first candidate of videos", "no candidate", "abstention"],
)
def test_choice_is_first_of_choice_else_first_candidate_of_videos(videos, choice, expected):
    prediction = Prediction("d", 1, videos, None, choice)
    found = one_turn(prediction, candidates=["S1/1.mp4", "S0/0.mp4"])
    assert value(found, "C-R@1") == [expected]
    assert value(found, "C-R@1|in") == [expected]


def test_choice_within_leaves_out_turns_whose_candidates_miss_the_gold():
    found = one_turn(Prediction("d", 1, (), None, ()), candidates=["S1/1.mp4"])
    assert value(found, "C-R@1") == [0]
    assert value(found, "C-R@1|in") == []


def test_turns_without_candidates_have_no_choice():
    assert value(one_turn(Prediction("d", 1, ("S0/0.mp4",))), "C-R@1") == []


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        (("S0/0.mp4", "S1/1.mp4"), 1),
        (("S1/1.mp4", "S0/0.mp4"), 0),
        (("S2/2.mp4", "S0/0.mp4"), 1),
        (("S1/1.mp4",), 0),
        (("S2/2.mp4",), 1 / 2),
        ((), 1 / 2),
    ],
    ids=["ahead", "behind", "foil absent", "gold absent", "neither", "abstention"],
)
def test_ahead_of_foil(videos, expected):
    assert value(one_turn(Prediction("d", 1, videos), foil="S1/1.mp4"), "ahead_of_foil") == [
        expected
    ]


def test_a_submission_without_videos_has_no_figures_over_videos():
    found = one_turn(Prediction("d", 1, None, None, ("S0/0.mp4",)), candidates=["S0/0.mp4"])
    assert METRICS["R@1"].column(found).why is not None
    assert METRICS["C-R@1"].column(found).why is None


def test_rank_101_and_missing_predictions_are_absent():
    late = (*tuple(VIDEOS[:100]), "S0/120.mp4")
    assert one_turn(Prediction("d", 1, late), gold="S0/120.mp4").rank.tolist() == [ABSENT_RANK]
    assert one_turn(None).rank.tolist() == [ABSENT_RANK]


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_figures_are_monotone_in_k_bounded_and_unchanged_by_renaming(seed):
    split, gold, predictions = random_case(seed)
    found = outcomes(split, gold, predictions, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    ordered = ["R@1", "R@5", "R@10", "R@100"]
    for name, next_name in itertools.pairwise(ordered):
        assert (columns[name].values <= columns[next_name].values).all()
    for tenths in (3, 5, 7):
        first, fifth = (columns[f"R@{k},IoU>=0.{tenths}"].values for k in (1, 5))
        assert (first <= fifth).all()
    for name, metric in METRICS.items():
        values = columns[name].values[columns[name].counted]
        top = metric.abstention if metric.average == "median" else metric.high
        assert ((values >= metric.low) & (values <= top)).all()
    renamed = renaming(seed)
    again = outcomes(*rename(split, gold, predictions, renamed), SOURCES_OF(renamed))
    for name, metric in METRICS.items():
        assert np.array_equal(metric.column(again).table, columns[name].table), name


def renaming(seed):
    names = [f"N/{number}" for number in range(len(VIDEOS))]
    random.Random(seed).shuffle(names)
    return dict(zip(VIDEOS, names, strict=True))


def SOURCES_OF(renamed):  # noqa: N802
    return dict.fromkeys(renamed.values(), "N")


def rename(split, gold, predictions, names):
    from msgspec.structs import replace

    def all_of(videos):
        return None if videos is None else tuple(names[video] for video in videos)

    candidates = {key: all_of(videos) for key, videos in split.candidates.items()}
    answers = [
        replace(answer, video_id=names.get(answer.video_id), foil=names.get(answer.foil))
        for answer in gold
    ]
    given = [
        prediction
        and replace(
            prediction,
            videos=all_of(prediction.videos),
            choice=all_of(prediction.choice),
            moments=tuple(replace(m, video_id=names[m.video_id]) for m in prediction.moments),
        )
        for prediction in predictions
    ]
    return replace(split, candidates=candidates), answers, given
