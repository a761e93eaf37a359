"""Tokens and counts are sacreBLEU's own, character for character."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.helpers import extract_all_char_ngrams
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

from harness.metrics.ngrams import TOKENS, matches, ngrams, tokens_zh

PIECES = st.sampled_from(
    [*"0123456789.,-'\"()[]{}/:;%&<>#ab \n\t\r门的。，０é😀𠀀\u3000\u2028\x1c\u2001\u2a6d",
     *("&quot;", "&amp;lt;", "<skipped>", "-\n", "...", "5.,.5", "1,000", "-3")]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=30)


@pytest.mark.parametrize("name", TOKENS)
@given(response=TEXTS, reference=TEXTS, shared=TEXTS)
def test_tokens_and_counts_are_those_of_sacrebleu(name, response, reference, shared):
    scorer = BLEU(tokenize=name, force=True)
    given_, wanted = response + shared, shared + reference
    expected = scorer.corpus_score([given_], [[wanted]])
    ours, theirs = TOKENS[name](given_), TOKENS[name](wanted)
    assert ours == scorer.tokenizer(given_.rstrip()).split()
    assert (len(ours), len(theirs)) == (expected.sys_len, expected.ref_len)
    assert list(matches(ours, theirs, 4)) == expected.counts
    assert [ngrams(ours, order) for order in range(1, 5)] == expected.totals


@given(response=TEXTS, reference=TEXTS, shared=TEXTS)
def test_character_counts_are_those_of_sacrebleu(response, reference, shared):
    ours, theirs = "".join((response + shared).split()), "".join((shared + reference).split())
    one, other = (extract_all_char_ngrams(text, 6) for text in (ours, theirs))
    met = [(a & b).total() for a, b in zip(one, other, strict=True)]
    assert list(matches(ours, theirs, 6)) == met
    assert [ngrams(ours, order) for order in range(1, 7)] == [found.total() for found in one]


def test_every_character_is_chinese_where_it_is_to_sacrebleu():
    """All of the first plane beyond ASCII, and every hundredth of the others."""
    is_chinese = TokenizerZh._is_chinese_char
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x110000, 100)):
        character = chr(code)
        if not character.isspace():
            assert len(tokens_zh(f"a{character}a")) == 1 + 2 * is_chinese(character), hex(code)


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize(
    "text",
    ["".join(random.Random(1).choices("0123456789", k=30_000)), "门" * 10_000, ".,5" * 10_000,
     "a b " * 8000],
    ids=["digits", "Chinese", "marks", "words"],
)  # fmt: skip
def test_long_texts_count_alike(name, text):
    scorer = BLEU(tokenize=name, force=True)
    reference = text[:100] + " Yes, it is at 5.5 s. 是的。"
    expected = scorer.corpus_score([text], [[reference]])
    ours, theirs = TOKENS[name](text), TOKENS[name](reference)
    assert list(matches(ours, theirs, 4)) == expected.counts
    assert [ngrams(ours, order) for order in range(1, 5)] == expected.totals
