"""The text network: padding changes nothing, others' tokens have a place."""

import numpy as np
import pytest
import torch

from baselines.networks.text_network import EMBEDDING, WIDTH, TextNetwork, collate_tokens
from baselines.networks.vocabulary import Vocabulary

TEXTS = ["a red star", "the part where a blue ball spins", "红色圆球出现", "ball"]


@pytest.fixture
def own():
    torch.manual_seed(0)
    vocabulary = Vocabulary.of_texts(TEXTS, 1)
    network = TextNetwork(pieces=vocabulary.size).eval()
    return network, [vocabulary.encode(text) for text in TEXTS]


@pytest.fixture
def others():
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    rows = [generator.normal(size=(size, 12)).astype(np.float32) for size in (3, 7, 1)]
    return TextNetwork(width=12).eval(), rows


@pytest.mark.parametrize("kind", ["own", "others"])
def test_a_text_is_encoded_by_itself(kind, request):
    network, texts = request.getfixturevalue(kind)
    with torch.inference_mode():
        batch = network(collate_tokens(texts))
        for row, text in enumerate(texts):
            alone = network(collate_tokens([text]))
            assert alone.words.shape == (1, len(text), EMBEDDING)
            assert alone.pooled.shape == (1, WIDTH)
            for one, many in zip(alone[:2], batch[:2], strict=True):
                assert torch.allclose(one[0], many[row, : len(text)], atol=1e-6)
                assert not many[row, len(text) :].any()
            assert torch.allclose(alone.pooled[0], batch.pooled[row], atol=1e-6)


def test_order_changes_the_states_and_not_the_words(own):
    network, texts = own
    with torch.inference_mode():
        one, other = network(collate_tokens([texts[1]])), network(collate_tokens([texts[1][::-1]]))
    assert torch.equal(one.words[0], other.words[0].flip(0))
    assert not torch.allclose(one.pooled, other.pooled, atol=1e-3)


def test_training_hides_tokens_and_answering_none(own):
    network, texts = own
    batch = collate_tokens(texts)
    assert torch.equal(network(batch).words, network(batch).words)
    network.train()
    torch.manual_seed(1)
    words = torch.cat([network(batch).words.flatten(0, 1) for _ in range(20)])
    standing = batch.mask.flatten().repeat(20) == 1
    assert 0 < (words[standing].abs().sum(1) == 0).float().mean() < 0.2


def test_a_network_reads_one_kind_of_tokens():
    for arguments in ({}, {"pieces": 3, "width": 4}):
        with pytest.raises(ValueError, match="pieces or width"):
            TextNetwork(**arguments)
