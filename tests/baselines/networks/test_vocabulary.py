"""Vocabularies: tokens, pieces, and texts as numbers."""

from baselines.networks.vocabulary import (
    MAX_TOKENS,
    Vocabulary,
    from_facts,
    to_facts,
    token_pieces,
)

TEXTS = ["A red star spins.", "the RED ball", "红色圆球", "redder"]


def test_words_and_ideographs_are_tokens_of_their_own():
    words = [pieces[0] for pieces in token_pieces("It's 3 red-hot stars，红色圆 ok")]
    assert words == ["it's", "3", "red", "hot", "stars", "红", "色", "圆", "ok"]


def test_a_word_is_spelt_by_three_characters_each():
    [pieces] = token_pieces("Star")
    assert pieces == ["star", "^st", "sta", "tar", "ar$"]


def test_an_ideograph_knows_its_neighbours():
    assert token_pieces("红色x") == [
        ["红", "<^红", ">红色"], ["色", "<红色", ">色$"], ["x", "^x$"],
    ]  # fmt: skip


def test_a_vocabulary_holds_what_stands_in_enough_texts():
    pieces = set(Vocabulary.of_texts(TEXTS, least=2).pieces)
    assert {"red", "^re", "ed$"} >= pieces & {"red", "^re", "ed$"} >= {"red", "^re"}
    assert "star" not in pieces
    assert "红" not in pieces
    assert "star" in Vocabulary.of_texts(TEXTS, least=1).pieces


def test_an_order_of_texts_changes_no_number():
    assert Vocabulary.of_texts(TEXTS, 1) == Vocabulary.of_texts(TEXTS[::-1], 1)


def test_an_unknown_word_shares_pieces_with_a_known_one():
    vocabulary = Vocabulary.of_texts(TEXTS, 1)
    known, unknown = (set(vocabulary.encode(text)[0]) - {0} for text in ("redder", "redden"))
    assert known & unknown
    assert known - unknown


def test_a_text_without_a_token_is_one_empty_token():
    vocabulary = Vocabulary.of_texts(TEXTS, 1)
    assert vocabulary.encode(" ?! ").tolist() == [[0] * 16]


def test_a_long_text_keeps_its_first_tokens():
    assert len(Vocabulary.of_texts(TEXTS, 1).encode("red " * 500)) == MAX_TOKENS


def test_facts_give_the_vocabulary_back():
    vocabulary = Vocabulary.of_texts(TEXTS, 1)
    assert from_facts(to_facts(vocabulary)) == vocabulary
    assert max(vocabulary.encode("red star").ravel()) < vocabulary.size
