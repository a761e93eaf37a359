"""Tokens for search by words."""

import bm25s
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.tokenization import tokenize

BEFORE_IDEOGRAPHS = st.characters(max_codepoint=0x2FFF)


@given(st.text(BEFORE_IDEOGRAPHS))
def test_text_without_ideographs_is_tokenised_as_bm25s_does(text):
    assert tokenize(text) == bm25s.tokenize([text], return_ids=False, show_progress=False)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("红色的猫", ["红", "色", "的", "猫", "红色", "色的", "的猫"]),
        ("在video 4中", ["video", "在", "中"]),
        ("猫, 狗", ["猫", "狗"]),
        ("", []),
        ("the", []),
    ],
)
def test_ideographs_give_characters_and_pairs_within_a_run(text, expected):
    assert tokenize(text) == expected


@given(st.text(st.sampled_from("猫狗红色a 1")))
def test_a_run_of_n_ideographs_gives_2n_minus_1_tokens(text):
    runs = "".join(c if c in "猫狗红色" else " " for c in text).split()
    ideographs = [token for token in tokenize(text) if token[0] in "猫狗红色"]
    assert len(ideographs) == sum(2 * len(run) - 1 for run in runs)
