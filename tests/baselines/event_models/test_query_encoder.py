"""What texts ask for."""

import torch

from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import MOST_TOKENS, SHOWN, Text, TextNet, batch, text

KNOWN = Lexicon({"en": {"red": 0, "green": 1, "ball": 2}}, {"find": 3, "the": 4}, [0, 0, 1])


def net():
    torch.manual_seed(0)
    return TextNet(KNOWN.size, 3, 2).eval()


def asked(*texts):
    with torch.inference_mode():
        return net()(batch([text(KNOWN, [(each, "en", 0)]) for each in texts]))


def test_another_colour_is_asked_for_in_the_same_way():
    red, green = asked("find the red ball"), asked("find the green ball")
    assert torch.equal(red.gist, green.gist)
    assert torch.equal(red.roles[..., [1, 0, 2]], green.roles)
    assert red.roles[0, 0, 0] > 0
    assert red.roles[0, 0, 1] == 0


def test_what_stands_beside_a_text_in_a_batch_does_not_matter():
    alone, beside = asked("find red"), asked("find red", "find the green ball find the ball")
    assert torch.allclose(alone.roles[0], beside.roles[0], atol=1e-6)
    assert torch.allclose(alone.gist[0], beside.gist[0], atol=1e-6)


def test_order_of_words_matters():
    one, other = asked("red find ball"), asked("ball find red")
    assert not torch.allclose(one.gist, other.gist, atol=1e-4)


def test_a_text_knows_how_many_turns_back_it_was_said_and_what_was_shown():
    found = text(KNOWN, [("the red ball", "en", 9), ("find", "en", 0)], shown=[1])
    assert found == Text(
        (1, 4, 1, 2, 3), (1, -1, 0, 2, -1), (SHOWN, SHOWN - 1, SHOWN - 1, SHOWN - 1, 0)
    )


def test_of_a_long_text_the_end_is_kept():
    found = text(KNOWN, [("the " * 200 + "red", "en", 0)])
    assert len(found.inputs) == MOST_TOKENS
    assert found.values[-1] == 0


def test_a_text_without_tokens_asks_for_nothing():
    assert not asked("").roles.any()
    assert asked("").gist.isfinite().all()
