"""Phrases and the values that they name."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from baselines.event_models.lexicon import LabelledUtterance, build_lexicon, g_squared

WORDS = {"en": ("red", "green", "ball", "star"), "zh": ("红色", "绿色", "圆球", "五角星")}
AROUND = {
    "en": (("Please find the ", "I want a ", "Show some "), (".", " now.", "?")),
    "zh": (("请找", "我要", "有没有"), ("的视频。", "吗?", "。")),
}
KINDS = [0, 0, 1, 1]  # red and green are colours, ball and star are shapes


def corpus(language, count=200, seed=0):
    """Utterances that name one colour and one shape of a video which has two of each kind."""
    drawn = np.random.default_rng(seed)
    utterances = []
    for _ in range(count):
        colour, shape = int(drawn.integers(2)), 2 + int(drawn.integers(2))
        other = int(drawn.integers(4))
        one, two = WORDS[language][colour], WORDS[language][shape]
        before, after = (str(drawn.choice(parts)) for parts in AROUND[language])
        text = (
            f"{before}{one}{'的' if drawn.random() < 0.5 and language == 'zh' else ' '}{two}{after}"
        )
        utterances.append(LabelledUtterance(text, language, frozenset({colour, shape, other})))
    return utterances


@pytest.fixture(scope="module")
def known():
    return build_lexicon([*corpus("en"), *corpus("zh", seed=1)], KINDS)


def test_g_squared_is_the_log_likelihood_ratio_of_scipy():
    table = np.array([[30, 12], [5, 53]])
    both = np.array([[30.0]], np.float32)
    found = g_squared(both, np.array([42.0], np.float32), np.array([35.0], np.float32), 100)
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert found[0, 0] == pytest.approx(expected, rel=1e-5)


def test_g_squared_is_0_where_two_occur_together_less_than_by_chance():
    one = np.array([[1.0]], np.float32), np.array([50.0], np.float32), np.array([50.0], np.float32)
    assert g_squared(*one, 100)[0, 0] == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_value_is_found_by_its_phrase(known, language):
    found = known.phrases[language]
    assert sorted(found.values()) == [0, 1, 2, 3]
    for value, phrase in enumerate(WORDS[language]):
        [named] = [each for each, which in found.items() if which == value]
        assert named in phrase or phrase in named


@pytest.mark.parametrize(("text", "language"), [("the Green Ball", "en"), ("绿色圆球", "zh")])
def test_tokens_hide_the_value_and_show_its_attribute(known, text, language):
    read = known.tokenize(text, language)
    named = [(i, v) for i, v in zip(read.inputs, read.values, strict=True) if v >= 0]
    assert named == [(1, 1), (2, 2)]
    other = known.tokenize(text.replace("Green", "red").replace("绿色", "红色"), language)
    assert other.inputs == read.inputs
    assert other.values != read.values


def test_words_have_different_inputs_and_unknown_ones_have_0(known):
    read = known.tokenize("please find wild zebras", "en")
    assert read.inputs[0] != read.inputs[1]
    assert read.inputs[2:] == [0, 0]
    assert max(known.words.values()) < known.size


def test_a_phrase_of_another_language_names_nothing(known):
    assert set(known.tokenize("red ball", "zh").values) == {-1}


def test_chance_names_nothing():
    drawn = np.random.default_rng(5)
    utterances = [
        LabelledUtterance(
            str(drawn.choice(["red", "ball", "old"])), "en", frozenset({int(drawn.integers(4))})
        )
        for _ in range(300)
    ]
    assert build_lexicon(utterances, KINDS).phrases == {"en": {}}
