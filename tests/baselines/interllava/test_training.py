"""Training: eight dialogues by heart, the forms and the weight of the losses, correct replies."""

import pytest
import torch

from baselines.base import TrainerConfig
from baselines.interllava.losses import AnswerSpan
from baselines.interllava.tiny.tiny_model import TinyNetwork
from baselines.interllava.tiny.tiny_pretraining import VideoTokenModule
from baselines.interllava.training import (
    InterLLaVAModule,
    LossConfig,
    generate_replies,
    is_correct,
)
from baselines.training.batches import StepBatches
from baselines.training.fit import fit
from tests.baselines.interllava.dialogues import VALUES, eight


@pytest.fixture(scope="module")
def dialogues():
    return eight()


@pytest.fixture
def module(dialogues):
    """A module with a network of given initial weights, without dropout."""

    def make(form="spelt", weight=0.5):
        torch.manual_seed(0)
        network = TinyNetwork(VALUES, dialogues.tokenizer).eval()
        config = LossConfig(form, weight, 1.5e-3, 0.0)
        return InterLLaVAModule(network, dialogues.tokenizer, config)

    return make


def test_eight_dialogues_are_learned_by_heart(dialogues, module, tmp_path):
    """All generated numbers and spans are correct after training."""
    trained = module(weight=0.01).train()
    both = [dialogues.videos, dialogues.moments]
    batches = StepBatches(lambda step, rng: [both[step % 2]], lambda rows: rows[0], seed=0)
    fit(trained, batches.loader(), TrainerConfig(tmp_path), stage="s", steps=130, note=str)
    network = trained.network.eval()
    for batch, gold in zip(dialogues.questions, dialogues.gold, strict=True):
        replies = generate_replies(network, dialogues.tokenizer, batch)
        correct = [is_correct(batch.task, *each) for each in zip(replies, gold, strict=True)]
        assert correct == [True] * 8, replies


def test_the_published_losses_change_no_gradient(dialogues, module):
    grads = {}
    for form in ("words", "argmax", "spelt"):
        chosen = module(form)
        chosen.training_step(dialogues.videos, 0).backward()
        embeddings = chosen.network.net.language.get_input_embeddings()
        grads[form] = embeddings.weight.grad.clone()
    assert torch.equal(grads["words"], grads["argmax"])
    assert not torch.allclose(grads["words"], grads["spelt"])


def test_the_weight_multiplies_number_and_span_losses(dialogues, module):
    with torch.no_grad():
        words, half, twice = (
            float(module(weight=weight).training_step(dialogues.moments, 0))
            for weight in (0.0, 0.5, 2.0)
        )
    assert words < half < twice
    assert twice - words == pytest.approx(4 * (half - words), rel=1e-3)


def test_a_moment_turn_has_no_number_loss(dialogues, module):
    """Its prompt gives the number, so there is nothing to learn."""
    batch = dialogues.moments
    first = int((batch.tokens.labels[0] >= 0).nonzero()[0])
    numbered = [AnswerSpan((first, 3), each.start, each.end, each.span) for each in batch.answers]
    with torch.no_grad():
        plain, other = (
            module().training_step(batch._replace(answers=answers), 0)
            for answers in (batch.answers, numbered)
        )
    assert torch.equal(plain, other)


def test_video_tokens_are_trained_on_turns_with_videos_alone(dialogues, module):
    tokens = VideoTokenModule(module().network)
    assert tokens.training_step(dialogues.videos, 0) > 0
    with pytest.raises(ValueError, match="expected a batch with videos"):
        tokens.training_step(dialogues.videos._replace(task="chat", visual=None), 0)


@pytest.mark.parametrize(
    ("task", "text", "gold", "correct"),
    [
        ("video", "It is video 3.", 3, True),
        ("video", "It is video 3.", 2, False),
        ("video", "No idea.", 1, False),
        ("moment", "It is at 1.0s-3.0s.", (1_000, 2_000), True),  # an IoU of exactly 0.5
        ("moment", "It is at 1.0s-3.1s.", (1_000, 2_000), False),
        ("moment", "It is at 7.0s-9.0s.", (1_000, 2_000), False),
        ("moment", "later", (1_000, 2_000), False),
    ],
)
def test_a_reply_is_correct_if_it_names_the_gold_number_or_half_the_span(task, text, gold, correct):
    assert is_correct(task, text, gold) is correct
