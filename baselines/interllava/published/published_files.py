"""The published InterLLaVA model: its files, their sizes and names, and the order of loading.

A folder of these files, each pickle converted to safetensors under its own names
(docs/assistants.md):

    llama/                                        Llama-2-7b-chat-hf, as transformers has it
    bert/                                         the tokenizer of bert-base-uncased
    eva_vit_g.safetensors                         the frame encoder
    instruct_blip_vicuna7b_trimmed.safetensors    InstructBLIP's Q-Former
    timechat_7b.safetensors                       both Q-Formers, projection, LoRA adapters
    VL_LLaMA_2_7B_Finetuned.safetensors           Video-LLaMA-2's video Q-Former

A later file's weights replace an earlier one's; of the last file only the video Q-Former is used.
Order and choice are those of the paper's code (ivcr/models/ivcr.py, its training configuration).
Weight names are those of LAVIS, from which all these models descend. Sizes are read from weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import (
    Blip2QFormerConfig,
    InstructBlipQFormerConfig,
    InstructBlipVisionConfig,
    InstructBlipVisionModel,
    LlamaForCausalLM,
)

from baselines.encoders.resolve import loading
from baselines.encoders.weights_report import check_names
from baselines.interllava.model import (
    InterLLaVA,
    VideoTokenConfig,
    VideoTokenEncoder,
    with_lora,
)
from baselines.interllava.tokenizer import Tokenizer
from baselines.training.checkpoints import from_safetensors
from harness.errors import EnvironmentFailure

Weights = dict[str, Tensor]
EVA, QFORMER = "eva_vit_g.safetensors", "instruct_blip_vicuna7b_trimmed.safetensors"
TIMECHAT, VIDEO_LLAMA = "timechat_7b.safetensors", "VL_LLaMA_2_7B_Finetuned.safetensors"
FILES = (EVA, QFORMER, TIMECHAT, VIDEO_LLAMA)
LLAMA, BERT = "llama", "bert"
FOREIGN = "not a file of the published layout"
NEXT_STEP = "docs/assistants.md says which files fit together"
POSITIONS = 64
HEAD, VISION_HEAD = 64, 88  # widths of an attention head: of BERT, of EVA ViT-g

_VISION = (
    (r"visual_encoder\.", ""),
    (r"^cls_token$", "embeddings.class_embedding"),
    (r"^pos_embed$", "embeddings.position_embedding"),
    (r"^patch_embed\.proj\.", "embeddings.patch_embedding."),
    (r"^blocks\.(\d+)\.norm([12])\.", r"encoder.layers.\1.layer_norm\2."),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"encoder.layers.\1.self_attn.projection."),
    (r"^blocks\.(\d+)\.attn\.", r"encoder.layers.\1.self_attn."),
    (r"^blocks\.(\d+)\.mlp\.", r"encoder.layers.\1.mlp."),
)
_TOKENS = (
    (r"^Qformer\.bert\.embeddings\.LayerNorm\.", "qformer.embeddings.layernorm."),
    (r"^Qformer\.bert\.", "qformer."),
    (r"^video_Qformer\.bert\.embeddings\.LayerNorm\.", "video_qformer.layernorm."),
    (r"^video_Qformer\.bert\.", "video_qformer."),
    (r"\.(cross)?attention\.self\.", r".\1attention.attention."),
    (r"^video_frame_position_embedding\.", "positions."),
    (r"^llama_proj\.", "projection."),
)
_UNUSED_VISION = re.compile(r"(norm|fc_norm|head|mask_token|logit_scale)(\.|$)")  # after the blocks
_USED = re.compile(r"(qformer|video_qformer|positions|projection)\.|(video_)?query_tokens$")
# Buffers and heads of other tasks.
_UNUSED = re.compile(r"position_ids$|^(video_)?Qformer\.cls\.|^Qformer\.bert\.pooler")


class PublishedModel(nn.Module):
    """InterLLaVA with its frame encoder, and both tokenizers."""

    vision: InstructBlipVisionModel
    net: InterLLaVA

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        """Load all files of `folder`; the frame encoder and the language model are frozen.

        Raises EnvironmentFailure if one is absent, damaged, or of another layout.
        """
        super().__init__()
        weights = {name: _read(folder / name) for name in FILES}
        with loading(str(folder / LLAMA), folder / LLAMA):
            self.tokenizer = Tokenizer(transformers.AutoTokenizer.from_pretrained(folder / LLAMA))
            language: Any = LlamaForCausalLM.from_pretrained(
                folder / LLAMA, use_safetensors=True, dtype=dtype, local_files_only=True
            )
        with loading(str(folder / BERT), folder / BERT):
            self.frame_tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder / BERT)
        language.resize_token_embeddings(len(self.tokenizer), mean_resizing=False)
        norm = _with_prefix("ln_vision.", weights[QFORMER])
        self.vision = _vision(weights[EVA], norm, folder / EVA)
        nn.Module.to(self.vision, dtype).requires_grad_(False)
        tokens = _video_tokens(weights, language.config.hidden_size, folder)
        language = with_lora(language, self.tokenizer.special_ids)
        _load_adapters(language, weights[TIMECHAT], folder / TIMECHAT)
        self.net = InterLLaVA(tokens, language, self.tokenizer.placeholder)


def _read(path: Path) -> Weights:
    if not path.is_file():
        raise EnvironmentFailure(
            f"{path}: expected a published file as safetensors, found none; docs/assistants.md "
            "says where each comes from, and has the command that converts a pickle to safetensors"
        )
    return from_safetensors(path, path.read_bytes())


def _rename(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, ours in table:
        name = re.sub(pattern, ours, name)
    return name


def _with_prefix(prefix: str, weights: Mapping[str, Tensor]) -> Weights:
    """The weights whose names have a prefix, named without it."""
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def _vision(weights: Weights, norm: Weights, path: Path) -> InstructBlipVisionModel:
    """The frame encoder without its last block: BLIP-2 reads the output of the one before."""
    try:
        blocks = _layers(weights, r"(?:visual_encoder\.)?blocks\.(\d+)\.")
        patch = weights["patch_embed.proj.weight"]
        side = round((weights["pos_embed"].shape[1] - 1) ** 0.5) * patch.shape[-1]
        config = InstructBlipVisionConfig(
            hidden_size=patch.shape[0],
            intermediate_size=weights["blocks.0.mlp.fc1.weight"].shape[0],
            num_hidden_layers=blocks - 1,
            num_attention_heads=patch.shape[0] // VISION_HEAD,
            image_size=side,
            patch_size=patch.shape[-1],
        )
    except (KeyError, IndexError) as error:
        raise _foreign(path, str(error)) from error
    model = InstructBlipVisionModel(config)
    model.post_layernorm.eps = 1e-5  # of a layer that was trained outside of the encoder
    last = f"blocks.{blocks - 1}."
    used = {n: w for n, w in weights.items() if not (n.startswith(last) or _UNUSED_VISION.match(n))}
    ours = {_rename(name, _VISION): weight for name, weight in _with_joint_bias(used).items()}
    ours |= {f"post_layernorm.{name}": weight for name, weight in norm.items()}
    _load(model, ours, path)
    return model


def _with_joint_bias(weights: Weights) -> Weights:
    """With one bias of query, key and value, where the file has one of query and one of value."""
    joint = dict(weights)
    for name in [name for name in weights if name.endswith("attn.q_bias")]:
        stem = name.removesuffix("q_bias")
        query, value = joint.pop(name), joint.pop(f"{stem}v_bias")
        joint[f"{stem}qkv.bias"] = torch.cat([query, torch.zeros_like(value), value])
    return joint


def _video_tokens(files: Mapping[str, Weights], width: int, folder: Path) -> VideoTokenEncoder:
    """Both Q-Formers, the positions and the projection, from all files in their order."""
    last = {n: w for n, w in files[VIDEO_LLAMA].items() if n.startswith("video_Qformer")}
    weights: Weights = {}
    for each in (files[QFORMER], files[TIMECHAT], last):
        for name, weight in each.items():
            ours = _rename(name, _TOKENS)
            if _USED.match(ours) and not _UNUSED.search(name):
                weights[ours] = weight.float()
    path = folder / TIMECHAT
    try:
        positions = weights["positions.weight"]
        # The nearest one, where the file has another number of positions.
        nearest = torch.arange(POSITIONS) * len(positions) // POSITIONS
        weights["positions.weight"] = positions[nearest]
        config = VideoTokenConfig(
            queries=weights["query_tokens"].shape[1],
            video_queries=weights["video_query_tokens"].shape[1],
        )
        frame = InstructBlipQFormerConfig(
            vocab_size=len(weights["qformer.embeddings.word_embeddings.weight"]),
            max_position_embeddings=len(weights["qformer.embeddings.position_embeddings.weight"]),
            cross_attention_frequency=2,
            **_sizes(weights, "qformer."),
        )
        video = Blip2QFormerConfig(
            vocab_size=1, cross_attention_frequency=1, **_sizes(weights, "video_qformer.")
        )
    except (KeyError, IndexError) as error:
        raise _foreign(path, str(error)) from error
    encoder = VideoTokenEncoder(config, frame, video, width)
    _load(encoder, weights, path)
    return encoder


def _sizes(weights: Weights, prefix: str) -> dict[str, Any]:
    """The sizes of the Q-Former whose weights have that prefix."""
    first = f"{prefix}encoder.layer.0."
    query = weights[f"{first}attention.attention.query.weight"]
    return {
        "hidden_size": len(query),
        "num_attention_heads": len(query) // HEAD,
        "num_hidden_layers": _layers(weights, re.escape(prefix) + r"encoder\.layer\.(\d+)\."),
        "intermediate_size": len(weights[f"{first}intermediate_query.dense.weight"]),
        "encoder_hidden_size": weights[f"{first}crossattention.attention.key.weight"].shape[1],
    }


def _layers(weights: Weights, pattern: str) -> int:
    return 1 + max(int(match[1]) for name in weights if (match := re.match(pattern, name)))


def _load_adapters(language: Any, weights: Weights, path: Path) -> None:
    ours = _with_prefix("llama_model.", weights)
    expected = {n: w for n, w in language.state_dict().items() if "lora_" in n}
    found = {n: w for n, w in ours.items() if "lora_" in n}
    _check(expected, found, path)
    language.load_state_dict(found, strict=False)


def _load(module: nn.Module, weights: Weights, path: Path) -> None:
    _check(module.state_dict(), weights, path)
    module.load_state_dict(weights)


def _check(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Raise EnvironmentFailure unless both have the same names and shapes."""
    check_names(f"{path}: {FOREIGN}", expected, found, next_step=NEXT_STEP)


def _foreign(path: Path, reason: str) -> EnvironmentFailure:
    return EnvironmentFailure(f"{path}: {FOREIGN}: {reason}; {NEXT_STEP}")
