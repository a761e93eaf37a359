"""Networks of single pictures with random weights, saved in their true formats."""

import json

import torch
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    Dinov2Config,
    Dinov2Model,
    EfficientNetConfig,
    EfficientNetModel,
    ResNetConfig,
    ResNetModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

SIDE, PATCH, WIDTH = 32, 8, 16
NORMAL = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.3, 0.25, 0.2]}
SIZES = {"hidden_size": WIDTH, "intermediate_size": 32, "num_hidden_layers": 2,
         "num_attention_heads": 2, "image_size": SIDE, "patch_size": PATCH}  # fmt: skip


def _saved(folder, kind, config, spread=0.3, **steps):
    torch.manual_seed(0)
    network = kind(config).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.dim() > 1:
                weight.normal_(std=spread)
            elif "norm" not in name.lower() and "bn" not in name.lower():
                weight.normal_(std=0.1)
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(NORMAL | steps))
    return folder


def vit(folder, kind=ViTModel):
    """google/vit-base-patch16-224-like: a square stretched from the picture."""
    size = {"height": SIDE, "width": SIDE}
    return _saved(folder, kind, ViTConfig(**SIZES), image_processor_type="ViTImageProcessor",
                  size=size)  # fmt: skip


def vit_classifier(folder):
    """As published for classification: without the weights of a pooler, with a head."""
    return vit(folder, ViTForImageClassification)


def dinov2(folder):
    """facebook/dinov2-base-like: the middle of a larger picture than it was trained on."""
    config = Dinov2Config(**SIZES | {"image_size": 40})
    return _saved(folder, Dinov2Model, config, image_processor_type="BitImageProcessor",
                  do_center_crop=True, size={"shortest_edge": 36},
                  crop_size={"height": SIDE, "width": SIDE})  # fmt: skip


def convnext(folder):
    """facebook/convnext-tiny-224-like: cut out of a picture that is larger by crop_pct."""
    config = ConvNextConfig(hidden_sizes=[4, 8, 8, WIDTH], depths=[1, 1, 1, 1])
    return _saved(folder, ConvNextForImageClassification, config,
                  image_processor_type="ConvNextImageProcessor", crop_pct=0.875,
                  size={"shortest_edge": SIDE})  # fmt: skip


def resnet(folder):
    """microsoft/resnet-18-like."""
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, WIDTH], depths=[1, 1, 1, 1],
                          layer_type="basic")  # fmt: skip
    return _saved(folder, ResNetModel, config, image_processor_type="ConvNextImageProcessor",
                  crop_pct=0.875, size={"shortest_edge": SIDE})  # fmt: skip


def efficientnet(folder):
    """google/efficientnet-b0-like: pixels from -1 to 1, divided once more."""
    config = EfficientNetConfig(
        width_coefficient=0.25, depth_coefficient=0.1, image_size=SIDE, hidden_dim=320,
        in_channels=[32, 16], out_channels=[16, 16], kernel_sizes=[3, 3], strides=[1, 2],
        num_block_repeats=[1, 1], expand_ratios=[1, 6], depthwise_padding=[],
    )  # fmt: skip
    return _saved(folder, EfficientNetModel, config, spread=1.0, rescale_offset=True,
                  include_top=True, image_processor_type="EfficientNetImageProcessor",
                  do_center_crop=False, size={"height": SIDE, "width": SIDE})  # fmt: skip


WIDTHS = {"efficientnet": 320}  # a quarter of what the width of its top is fixed to
ALL = (vit, vit_classifier, dinov2, convnext, resnet, efficientnet)
