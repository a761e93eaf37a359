"""Encoded queries."""

import torch

from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import (
    MAX_TOKENS,
    SHOWN_VIDEO,
    QueryEncoder,
    TokenizedText,
    collate_texts,
    tokenize_turns,
)

KNOWN = Lexicon({"en": {"red": 0, "green": 1, "ball": 2}}, {"find": 3, "the": 4}, [0, 0, 1])


def net():
    torch.manual_seed(0)
    return QueryEncoder(KNOWN.size, 3, 2).eval()


def encoded(*texts):
    with torch.inference_mode():
        return net()(collate_texts([tokenize_turns(KNOWN, [(each, "en", 0)]) for each in texts]))


def test_another_colour_is_encoded_in_the_same_way():
    red, green = encoded("find the red ball"), encoded("find the green ball")
    assert torch.equal(red.pooled, green.pooled)
    assert torch.equal(red.roles[..., [1, 0, 2]], green.roles)
    assert red.roles[0, 0, 0] > 0
    assert red.roles[0, 0, 1] == 0


def test_what_stands_beside_a_text_in_a_batch_does_not_matter():
    alone, beside = encoded("find red"), encoded("find red", "find the green ball find the ball")
    assert torch.allclose(alone.roles[0], beside.roles[0], atol=1e-6)
    assert torch.allclose(alone.pooled[0], beside.pooled[0], atol=1e-6)


def test_order_of_words_matters():
    one, other = encoded("red find ball"), encoded("ball find red")
    assert not torch.allclose(one.pooled, other.pooled, atol=1e-4)


def test_a_text_holds_the_values_of_the_video_shown_and_the_turns_back():
    found = tokenize_turns(KNOWN, [("the red ball", "en", 9), ("find", "en", 0)], video_values=[1])
    assert found == TokenizedText(
        (1, 4, 1, 2, 3),
        (1, -1, 0, 2, -1),
        (SHOWN_VIDEO, SHOWN_VIDEO - 1, SHOWN_VIDEO - 1, SHOWN_VIDEO - 1, 0),
    )


def test_of_a_long_text_the_end_is_kept():
    found = tokenize_turns(KNOWN, [("the " * 200 + "red", "en", 0)])
    assert len(found.inputs) == MAX_TOKENS
    assert found.values[-1] == 0


def test_a_text_without_tokens_has_empty_roles():
    assert not encoded("").roles.any()
    assert encoded("").pooled.isfinite().all()
