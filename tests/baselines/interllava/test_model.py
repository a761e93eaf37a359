"""The network: video tokens at their placeholders, windows of frames, masks, LoRA adapters."""

import pytest
import torch
from transformers import (
    Blip2QFormerConfig,
    InstructBlipQFormerConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

from baselines.interllava.model import (
    EncodedFrames,
    InterLLaVA,
    TokenBatch,
    VideoTokenConfig,
    VideoTokenEncoder,
    with_lora,
)

PLACEHOLDER, END = 3, 2
CONFIG = VideoTokenConfig(queries=2, video_queries=3, window=4, stride=4, positions=12)
SIZES = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2,
         "intermediate_size": 24, "initializer_range": 0.3}  # fmt: skip


@pytest.fixture
def net():
    torch.manual_seed(0)
    frame = InstructBlipQFormerConfig(vocab_size=20, max_position_embeddings=8,
                                      encoder_hidden_size=5, **SIZES)  # fmt: skip
    video = Blip2QFormerConfig(
        vocab_size=1, encoder_hidden_size=16, cross_attention_frequency=1, **SIZES
    )
    language = LlamaForCausalLM(
        LlamaConfig(vocab_size=20, hidden_size=24, intermediate_size=24, num_hidden_layers=2,
                    num_attention_heads=2, initializer_range=0.3, bos_token_id=None)
    )  # fmt: skip
    tokens = VideoTokenEncoder(CONFIG, frame, video, 24)
    return InterLLaVA(tokens, language, PLACEHOLDER).eval()


def frames(count, videos=1, words=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, 20, (videos, count, words), generator=generator)
    return EncodedFrames(
        torch.randn(videos, count, 6, 5, generator=generator), ids, torch.ones_like(ids)
    )


def batch(*ids, added=()):
    ids = torch.tensor(ids)
    return TokenBatch(ids, torch.ones_like(ids), torch.full_like(ids, -100), torch.tensor(added))


@pytest.mark.parametrize(("count", "tokens"), [(1, 3), (4, 3), (5, 6), (12, 9)])
@torch.no_grad()
def test_each_window_gives_its_video_queries(net, count, tokens):
    assert net.tokens(frames(count)).shape == (1, tokens, 24)
    assert CONFIG.token_count(count) == tokens


@torch.no_grad()
def test_a_frame_changes_its_own_window_alone(net):
    video = frames(12)
    other = video.features.clone()
    other[:, 5] += 1
    before, after = net.tokens(video), net.tokens(video._replace(features=other))
    changed = (before - after).abs().amax(2)[0] > 1e-6
    assert changed.tolist() == [False] * 3 + [True] * 3 + [False] * 3


@torch.no_grad()
def test_padding_of_a_frame_s_text_changes_nothing(net):
    video = frames(5)
    padded = [torch.nn.functional.pad(part, (0, 3)) for part in (video.text_ids, video.text_mask)]
    torch.testing.assert_close(
        net.tokens(EncodedFrames(video.features, *padded)), net.tokens(video)
    )


@torch.no_grad()
def test_the_time_and_the_position_of_a_frame_count(net):
    video = frames(4)
    other = video._replace(text_ids=video.text_ids.flip(1))
    assert not torch.allclose(net.tokens(video), net.tokens(other))
    turned = EncodedFrames(*(part.flip(1) for part in video))
    assert not torch.allclose(net.tokens(video), net.tokens(turned), atol=1e-3)


@torch.no_grad()
def test_video_tokens_replace_their_placeholders(net):
    """Two videos of different lengths in one row, put together by hand."""
    one, two = frames(1), frames(5, seed=1)
    p = PLACEHOLDER
    tokens = batch([5, p, p, p, 6, *[p] * 6, 7], added=[-1, 9, -1] + [-1] * 6)
    words = net.language.get_input_embeddings()
    first = net.tokens(one)[0]
    first[1] += words(torch.tensor(9))
    by_hand = torch.cat([words(torch.tensor([5])), first, words(torch.tensor([6])),
                         net.tokens(two)[0], words(torch.tensor([7]))])  # fmt: skip
    torch.testing.assert_close(net.embed(tokens, net.encode_videos([one, two]))[0], by_hand)


@torch.no_grad()
def test_a_reply_is_the_same_alone_and_padded_on_the_left(net):
    p = PLACEHOLDER
    short, long_ = [5, p, p, p, 6], [7, 8, 9, 5, p, p, p, 6]
    one, two = frames(2), frames(3, seed=1)
    alone = [
        net.generate(batch(ids, added=[-1] * 3), net.encode_videos([video]), 6, END)
        for ids, video in ((short, one), (long_, two))
    ]
    both = batch([0, 0, 0, *short], long_, added=[-1] * 6)
    both = both._replace(mask=(both.ids > 0).long())
    replies = net.generate(both, net.encode_videos([one, two]), 6, END)
    for each, row in zip(alone, replies, strict=True):
        assert each[0].tolist() == row[: each.shape[1]].tolist()


def test_adapters_and_given_tokens_are_trained_and_start_without_effect(net):
    ids = torch.randint(4, 20, (2, 7))
    before = net.language(input_ids=ids).logits
    language = with_lora(net.language, [17, 18]).eval()
    torch.testing.assert_close(language(input_ids=ids).logits, before)
    trained = {name for name, weight in language.named_parameters() if weight.requires_grad}
    assert all("lora_" in name or "trainable_tokens" in name for name in trained)
    assert sum("lora_A" in name for name in trained) == 2 * 4
    config = language.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout) == (32, 32, 0.1)


def test_gradients_reach_all_layers_before_video_tokens(net):
    tokens = batch([5, *[PLACEHOLDER] * 3, 6], added=[-1] * 3)
    net(tokens, net.encode_videos([frames(4)])).sum().backward()
    idle = {name for name, weight in net.tokens.named_parameters() if weight.grad is None}
    # Words have feed-forward layers of their own; the output of the last one is not used.
    assert not {name for name in idle if "intermediate." not in name and "output." not in name}
