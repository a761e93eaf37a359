"""Exact search against sorting everything; answers by task; decayed embeddings by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.base import Exchange, MissingInputError, Query, View
from baselines.dialogue_context import Weighted, readings
from baselines.ranking import UNRANKED, Corpus, cache_texts, top_positions, unit, weighted_embedding
from harness.records import Moment, Video

SCORES = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5000001, 2.0, UNRANKED]), max_size=30)


@given(SCORES, st.integers(1, 40))
def test_the_best_are_those_of_sorting_everything_ties_by_position(scores, k):
    longhand = sorted((-score, at) for at, score in enumerate(scores) if score > UNRANKED)
    assert top_positions(np.array(scores), k) == [at for _, at in longhand[:k]]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_large_rows_agree_with_a_full_stable_sort(kind):
    scores = np.random.default_rng(0).integers(0, 50, 5000).astype(kind)
    assert top_positions(scores, 100) == np.argsort(-scores, kind="stable")[:100].tolist()


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        top_positions(np.array([0.0, np.nan]), 1)


@pytest.fixture
def corpus(tmp_path):
    videos = {
        name: Video(name, duration) for name, duration in zip("abcd", (9, 8, None, 7), strict=True)
    }
    return Corpus(View(videos, tuple("abcd"), tmp_path, "own", 0))


def query(task, **more):
    return Query("d", 1, "en", task, "words", **more)


ROW = np.array([0.1, 0.3, 0.3, UNRANKED])


@pytest.mark.parametrize(
    ("asked", "videos", "moments", "choice", "response"),
    [
        (query("video"), ("b", "c", "a"), None, None, None),
        (query("video", candidates=("d", "c", "b")), ("b", "c", "a"), None, ("c", "b", "d"), None),
        (query("moment"), None, (Moment("b", 0, 8),), None, None),
        (query("moment", video_id="d"), None, (Moment("d", 0, 7),), None, None),
        (query("moment", video_id="c"), None, (), None, None),
        (query("chat"), None, None, None, ""),
    ],
    ids=["video", "candidates", "moment", "given", "unknown duration", "chat"],
)
def test_scores_become_the_answer_that_the_task_asks_for(
    corpus, asked, videos, moments, choice, response
):
    answer = corpus.answer(asked, lambda _: ROW)
    assert (answer.videos, answer.moments) == (videos, moments)
    assert (answer.choice, answer.response) == (choice, response)


def test_what_was_not_found_is_not_ranked(corpus):
    row = corpus.over_corpus(["c", "a"], np.array([1.0, 2.0]))
    assert row.tolist() == [2.0, UNRANKED, 1.0, UNRANKED]
    assert corpus.top(row, 10) == ("a", "c")
    assert corpus.readable({"d": 0, "a": 0}) == ["a", "d"]
    with pytest.raises(MissingInputError, match="none of the corpus' 4 videos"):
        corpus.readable({})


HISTORY = tuple(Exchange("video", text, "answer", "a", ()) for text in ("one", "two"))


def test_all_is_one_text_oldest_first_and_decay_halves_with_each_turn_back():
    asked = query("video", history=HISTORY)
    assert readings(asked, "last") == (Weighted("words", 1.0),)
    assert readings(asked, "all") == (Weighted("one\ntwo\nwords", 1.0),)
    assert [weight for _, weight in readings(asked, "decayed")] == [0.25, 0.5, 1.0]


def test_decayed_embeddings_are_the_normalised_weighted_sum():
    vectors = {"one": [1, 0], "two": [0, 1], "words": [0.6, 0.8]}
    told = readings(query("video", history=HISTORY), "decayed")
    found = weighted_embedding(lambda text: np.array(vectors[text], np.float32), told)
    longhand = np.array([0.25 * 1 + 0.6, 0.5 * 1 + 0.8])
    np.testing.assert_allclose(found, longhand / np.hypot(*longhand), rtol=1e-6)
    assert found.dtype == np.float32


def test_zeros_stay_zeros_when_scaled_to_length_one():
    assert unit(np.array([[0, 0], [0, -4]], np.float32)).tolist() == [[0, 0], [0, -1]]


def test_a_text_is_embedded_once():
    asked = []
    embed = cache_texts(lambda text: asked.append(text) or np.ones(2, np.float32))
    assert [embed("x") is embed("x"), asked] == [True, ["x"]]
