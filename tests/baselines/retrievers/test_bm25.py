"""BM25 against bm25s itself and against the formula, written out."""

import math
from collections import Counter

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.dialogue_context import Weighted
from baselines.retrievers.bm25 import BM25Index, first_stage, rank_texts
from baselines.tokenization import join_fields, tokenize
from harness.errors import WrongUsageError
from harness.records import Moment
from tests.baselines.conftest import CAT, COOK, DOG, FOX, ask, dialogue

WORDS = st.lists(st.sampled_from(["cat", "dog", "fox", "猫", "狗在", "sofa"]), max_size=6).map(
    " ".join
)


def by_hand(texts, query):
    """Lucene's BM25, k1 1.5, b 0.75 (Kamphuis et al., ECIR 2020, table 1)."""
    documents = [tokenize(text) for text in texts]
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        counts, score = Counter(document), 0.0
        for token in tokenize(query):
            held = sum(token in other for other in documents)
            idf = math.log(1 + (len(documents) - held + 0.5) / (held + 0.5))
            if counts[token]:
                length = 1 - 0.75 + 0.75 * len(document) / mean
                score += idf * counts[token] / (counts[token] + 1.5 * length)
        scores.append(score)
    return scores


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_scores_are_the_formula_written_out(texts, query):
    scores = BM25Index(texts).scores([Weighted(query, 1.0)])
    assert scores == pytest.approx(by_hand(texts, query), abs=1e-6)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS, WORDS)
def test_the_score_of_joined_texts_is_the_sum_in_any_order(texts, one, two):
    index = BM25Index(texts)
    joint = index.scores([Weighted(f"{one} {two}", 1.0)])
    assert joint.tolist() == index.scores([Weighted(two, 1.0), Weighted(one, 1.0)]).tolist()


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), max_size=12), st.integers(1, 12))
def test_ranked_is_a_stable_sort_of_what_scores(scores, k):
    expected = sorted((n for n, score in enumerate(scores) if score), key=lambda n: -scores[n])
    assert rank_texts(np.array(scores), k) == expected[:k]


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS, st.integers(1, 9))
def test_first_stage_always_fills_its_list_scored_texts_first(texts, query, k):
    (found,) = first_stage([{"title": text} for text in texts], [query], k)
    assert len(found) == len(set(found)) == min(k, len(texts))
    scores = BM25Index(texts).scores([Weighted(query, 1.0)])
    assert found == sorted(range(len(texts)), key=lambda n: -scores[n])[:k]


def test_videos_are_found_in_both_languages(toy, said):
    first, _, chinese = said("bm25", toy, "none")
    assert [p.videos for p in first[:1]] == [(CAT,)]
    assert [p.videos[0] for p in chinese[:1]] == [DOG]


def test_a_moment_turn_is_the_whole_of_the_best_or_the_given_video(toy, said, make):
    first, _, chinese = said("bm25", toy, "reference")
    assert (first[1].moments, chinese[2].moments) == ((Moment(CAT, 0, 10_000),), ())
    found = make([dialogue(ask("when does he cook?", CAT, span=(1, 2)))], name="moment")
    assert said("bm25", found, "own")[0][0].moments == ()
    found = make([dialogue(ask("in the kitchen", CAT, span=(1, 2)), ask("?", COOK))], name="again")
    assert said("bm25", found, "own")[0][0].moments == (Moment(COOK, 0, 40_000),)


def test_contexts_bring_earlier_words_back(make, said):
    two = make([dialogue(ask("a beach with a dog", DOG), ask("the snow", FOX))])
    later = {
        c: said("bm25", two, "own", f"context={c}")[0][1].videos for c in ("last", "all", "decayed")
    }
    assert later == {"last": (FOX,), "all": (DOG, FOX), "decayed": (FOX, DOG)}


def test_a_context_of_earlier_turns_is_refused_without_history(toy, said):
    with pytest.raises(WrongUsageError, match="context=all reads earlier utterances"):
        said("bm25", toy, "none", "context=all")


def test_candidates_are_ordered_on_request_alone(toy, said):
    assert said("bm25", toy, "none")[0][3].choice is None
    (first, *_) = said("bm25", toy, "none", "candidates=used")
    assert first[0].choice == (CAT, DOG)
    assert first[3].choice == (DOG, COOK, CAT)


def test_the_reference_figures_of_real_text_are_met(charades, said):
    """Within half a point of R@1 10.4, R@5 22.1, R@10 28.0, R@100 56.8; rank by rank as bm25s."""
    gold = {turn.key: turn.video_id for turn in charades.gold()}
    turns = [turn for turn in charades.split().turns if turn.task == "video"]
    found = {p.key: p.videos for dialogue in said("bm25", charades, "none") for p in dialogue}
    for k, figure in ((1, 10.4), (5, 22.1), (10, 28.0), (100, 56.8)):
        right = sum(gold[turn.key] in found[turn.key][:k] for turn in turns)
        assert 100 * right / len(turns) == pytest.approx(figure, abs=0.1)

    corpus = charades.split().corpus
    texts = [join_fields(charades.videos[video].text) for video in corpus]
    direct = bm25s.BM25()
    direct.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)
    queries = bm25s.tokenize([turn.utterance for turn in turns], show_progress=False)
    documents, scores = direct.retrieve(queries, k=3, show_progress=False)
    clear = (scores[:, 0] - scores[:, 1] > 1e-4) & (scores[:, 1] - scores[:, 2] > 1e-4)
    assert clear.mean() > 0.5
    for turn, best in zip(np.array(turns, dtype=object)[clear], documents[clear], strict=True):
        assert found[turn.key][:2] == (corpus[best[0]], corpus[best[1]])
