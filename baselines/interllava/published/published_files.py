"""InterLLaVA from published files: their names, their sizes, and whose weights come after whose.

A folder with these, each pickle made safetensors under its own names (docs/assistants.md):

    llama/                                        Llama-2-7b-chat-hf, as transformers has it
    bert/                                         the tokenizer of bert-base-uncased
    eva_vit_g.safetensors                         the frame encoder
    instruct_blip_vicuna7b_trimmed.safetensors    InstructBLIP's Q-Former
    timechat_7b.safetensors                       both Q-Formers, projection, LoRA adapters
    VL_LLaMA_2_7B_Finetuned.safetensors           Video-LLaMA-2's video Q-Former

A later file's weights replace an earlier one's, of the last file the video Q-Former's alone: the
order and the choice of the paper's code (ivcr/models/ivcr.py, its training configuration). Names
are those of LAVIS, from which all of these descend; sizes are read off the weights.
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
from baselines.interllava.model import Form, InterLLaVA, VideoTokens, adapted
from baselines.interllava.tokenizer import Words
from baselines.training.checkpoints import from_safetensors
from harness.errors import EnvironmentFailure

Weights = dict[str, Tensor]
EVA, QFORMER = "eva_vit_g.safetensors", "instruct_blip_vicuna7b_trimmed.safetensors"
TIMECHAT, VIDEO_LLAMA = "timechat_7b.safetensors", "VL_LLaMA_2_7B_Finetuned.safetensors"
FILES = (EVA, QFORMER, TIMECHAT, VIDEO_LLAMA)
LLAMA, BERT = "llama", "bert"
POSITIONS = 64
HEAD, EYE_HEAD = 64, 88  # widths of an attention head: of BERT, of EVA ViT-g
DECODER = "[DEC]"  # a token that LAVIS adds to BERT's; it has an embedding and is not used here

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
_OURS = re.compile(r"(qformer|video_qformer|positions|projection)\.|(video_)?query_tokens$")
# Buffers and heads of other tasks.
_UNUSED = re.compile(r"position_ids$|^(video_)?Qformer\.cls\.|^Qformer\.bert\.pooler")


class Published(nn.Module):
    """The network with its frame encoder, and both tokenizers."""

    vision: InstructBlipVisionModel
    net: InterLLaVA

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        """Load all files of `folder`; the frame encoder and the language model are frozen.

        Raises EnvironmentFailure if one is absent, damaged, or of another make.
        """
        super().__init__()
        read = {name: _read(folder / name) for name in FILES}
        with loading(str(folder / LLAMA), folder / LLAMA):
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder / LLAMA)
            language: Any = LlamaForCausalLM.from_pretrained(
                folder / LLAMA, use_safetensors=True, dtype=dtype, local_files_only=True
            )
        with loading(str(folder / BERT), folder / BERT):
            self.sampled: Any = transformers.AutoTokenizer.from_pretrained(folder / BERT)
        self.words = Words(tokenizer)
        language.resize_token_embeddings(len(self.words), mean_resizing=False)
        self.vision = _vision(read[EVA], _named("ln_vision.", read[QFORMER]), folder / EVA)
        nn.Module.to(self.vision, dtype).requires_grad_(False)
        tokens = _tokens(read, language.config.hidden_size, folder)
        adapters = adapted(language, self.words.added)
        _load_adapters(adapters, read[TIMECHAT], folder / TIMECHAT)
        self.net = InterLLaVA(tokens, adapters, self.words.placeholder)


def _read(path: Path) -> Weights:
    if not path.is_file():
        raise EnvironmentFailure(
            f"{path}: expected a published file as safetensors, found none; docs/assistants.md "
            "says where each comes from, and has the command that makes safetensors of a pickle"
        )
    return from_safetensors(path, path.read_bytes())


def _renamed(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, ours in table:
        name = re.sub(pattern, ours, name)
    return name


def _named(prefix: str, weights: Mapping[str, Tensor]) -> Weights:
    """The weights under a prefix, without it."""
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}


def _vision(weights: Weights, norm: Weights, path: Path) -> InstructBlipVisionModel:
    """The frame encoder, without its last block: BLIP-2 takes what the one before it says."""
    try:
        blocks = _layers(weights, r"(?:visual_encoder\.)?blocks\.(\d+)\.")
        patch = weights["patch_embed.proj.weight"]
        side = round((weights["pos_embed"].shape[1] - 1) ** 0.5) * patch.shape[-1]
        config = InstructBlipVisionConfig(
            hidden_size=patch.shape[0],
            intermediate_size=weights["blocks.0.mlp.fc1.weight"].shape[0],
            num_hidden_layers=blocks - 1,
            num_attention_heads=patch.shape[0] // EYE_HEAD,
            image_size=side,
            patch_size=patch.shape[-1],
        )
    except (KeyError, IndexError) as error:
        raise _foreign(path, str(error)) from error
    model = InstructBlipVisionModel(config)
    model.post_layernorm.eps = 1e-5  # it was trained as a layer of its own, not one of the encoder
    ours = {_renamed(name, _VISION): weight for name, weight in _joined(weights).items()}
    ours |= {f"post_layernorm.{name}": weight for name, weight in norm.items()}
    expected = model.state_dict().keys()
    _load(model, {name: weight for name, weight in ours.items() if name in expected}, path)
    return model


def _joined(weights: Weights) -> Weights:
    """With one bias of query, key and value, where the file has those of query and value."""
    found = dict(weights)
    for name in [name for name in weights if name.endswith("attn.q_bias")]:
        stem = name.removesuffix("q_bias")
        query, value = found.pop(name), found.pop(f"{stem}v_bias")
        found[f"{stem}qkv.bias"] = torch.cat([query, torch.zeros_like(value), value])
    return found


def _tokens(read: Mapping[str, Weights], width: int, folder: Path) -> VideoTokens:
    """Both Q-Formers, the positions and the projection, from all files in their order."""
    last = {n: w for n, w in read[VIDEO_LLAMA].items() if n.startswith("video_Qformer")}
    weights: Weights = {}
    for each in (read[QFORMER], read[TIMECHAT], last):
        for name, weight in each.items():
            ours = _renamed(name, _TOKENS)
            if _OURS.match(ours) and not _UNUSED.search(name):
                weights[ours] = weight.float()
    path = folder / TIMECHAT
    try:
        places = weights["positions.weight"]
        # The nearest of its own, where the file has another number of positions.
        weights["positions.weight"] = places[torch.arange(POSITIONS) * len(places) // POSITIONS]
        form = Form(
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
    made = VideoTokens(form, frame, video, width)
    _load(made, weights, path)
    return made


def _sizes(weights: Weights, prefix: str) -> dict[str, Any]:
    """Sizes of a Q-Former."""
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
    return 1 + max(int(found[1]) for name in weights if (found := re.match(pattern, name)))


def _load_adapters(language: Any, weights: Weights, path: Path) -> None:
    adapters = _named("llama_model.", weights)
    expected = {n: w for n, w in language.state_dict().items() if "lora_" in n}
    found = {n: w for n, w in adapters.items() if "lora_" in n}
    _check(expected, found, path)
    language.load_state_dict(found, strict=False)


def _load(module: nn.Module, weights: Weights, path: Path) -> None:
    _check(module.state_dict(), weights, path)
    module.load_state_dict(weights)


def _check(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Raise EnvironmentFailure unless both have the same names and shapes."""
    odd = sorted(
        name
        for name in expected.keys() | found.keys()
        if name not in expected or name not in found or expected[name].shape != found[name].shape
    )
    if odd:
        raise _foreign(path, f"{len(odd)} weights are missing or of another shape, as {odd[0]}")


def _foreign(path: Path, reason: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"{path}: not a file of the published layout: {reason}; docs/assistants.md says which "
        "files fit together"
    )
