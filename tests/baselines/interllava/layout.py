"""Published files of InterLLaVA, tiny: the names that LAVIS and TimeChat give, written out here.

`folder` makes them from models of `transformers`, with which a loaded network is compared.
"""

from typing import NamedTuple

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertTokenizer,
    Blip2QFormerConfig,
    Blip2QFormerModel,
    InstructBlipQFormerConfig,
    InstructBlipQFormerModel,
    InstructBlipVisionConfig,
    InstructBlipVisionModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from tests.baselines.tiny import _model

EVA, WIDTH, HIDDEN = 88, 64, 32  # of the frame encoder, the Q-Formers, the language model
QUERIES, VIDEO_QUERIES, POSITIONS = 4, 3, 6
LAYERS = 2


class Parts(NamedTuple):
    """The models that the files were made of, and what has no model."""

    vision: InstructBlipVisionModel
    qformer: InstructBlipQFormerModel
    video: Blip2QFormerModel
    language: LlamaForCausalLM
    loose: dict[str, torch.Tensor]


def parts(seed=0):
    """Random models of the published layout."""
    bert = {"hidden_size": WIDTH, "num_attention_heads": 1, "num_hidden_layers": LAYERS,
            "intermediate_size": 96}  # fmt: skip
    vision = _model(
        InstructBlipVisionModel,
        InstructBlipVisionConfig(hidden_size=EVA, intermediate_size=120, num_hidden_layers=LAYERS,
                                 num_attention_heads=1, image_size=16, patch_size=8),
        seed,
    )  # fmt: skip
    vision.post_layernorm.eps = 1e-5
    qformer = _model(
        InstructBlipQFormerModel,
        InstructBlipQFormerConfig(vocab_size=len(WORDS), max_position_embeddings=24,
                                  encoder_hidden_size=EVA, cross_attention_frequency=2, **bert),
        seed + 1,
    )  # fmt: skip
    video = _model(
        Blip2QFormerModel,
        Blip2QFormerConfig(vocab_size=1, encoder_hidden_size=WIDTH, cross_attention_frequency=1,
                           **bert),
        seed + 2,
    )  # fmt: skip
    language = _model(
        LlamaForCausalLM,
        LlamaConfig(vocab_size=len(llama_words()), hidden_size=HIDDEN, intermediate_size=48,
                    num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=4096,
                    bos_token_id=None, eos_token_id=llama_words()["</s>"]),
        seed + 3,
    )  # fmt: skip
    rng = torch.Generator().manual_seed(seed)
    loose = {
        "query_tokens": torch.randn(1, QUERIES, WIDTH, generator=rng),
        "video_query_tokens": torch.randn(1, VIDEO_QUERIES, WIDTH, generator=rng),
        "video_frame_position_embedding.weight": torch.randn(POSITIONS, WIDTH, generator=rng),
        "llama_proj.weight": torch.randn(HIDDEN, WIDTH, generator=rng),
        "llama_proj.bias": torch.randn(HIDDEN, generator=rng),
    }
    for layer in range(2):
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            stem = f"llama_model.base_model.model.model.layers.{layer}.self_attn.{name}"
            loose[f"{stem}.lora_A.default.weight"] = torch.randn(32, HIDDEN, generator=rng) / 4
            loose[f"{stem}.lora_B.default.weight"] = torch.randn(HIDDEN, 32, generator=rng) / 4
    return Parts(vision, qformer, video, language, loose)


WORDS = [f"[{mark}]" for mark in ("PAD", "UNK", "CLS", "SEP", "MASK", "DEC")]
WORDS += ["this", "frame", "is", "sampled", "at", "second", "."]
WORDS += [*"0123456789", *(f"##{n}" for n in "0123456789")]


def llama_words():
    """A vocabulary of bytes, in which every digit is a token, with Llama's marks."""
    signs = ["<unk>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    return {sign: at for at, sign in enumerate(signs)}


def _llama(folder, language):
    made = Tokenizer(models.BPE(llama_words(), [], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    language.save_pretrained(folder)


def _vision(model):
    """EVA's names, with one block more than is used."""
    ours = model.state_dict()
    renamed = {
        "cls_token": ours["embeddings.class_embedding"],
        "pos_embed": ours["embeddings.position_embedding"],
        "patch_embed.proj.weight": ours["embeddings.patch_embedding.weight"],
        "patch_embed.proj.bias": ours["embeddings.patch_embedding.bias"],
        "fc_norm.weight": torch.ones(EVA),
        "head.weight": torch.ones(3, EVA),
    }
    for block in range(LAYERS + 1):
        mine = f"encoder.layers.{min(block, LAYERS - 1)}"
        qkv = ours[f"{mine}.self_attn.qkv.bias"]
        renamed |= {
            f"blocks.{block}.attn.q_bias": qkv[:EVA],
            f"blocks.{block}.attn.v_bias": qkv[2 * EVA :],
            f"blocks.{block}.attn.qkv.weight": ours[f"{mine}.self_attn.qkv.weight"],
        }
        for theirs, name in (("attn.proj", "self_attn.projection"), ("norm1", "layer_norm1"),
                             ("norm2", "layer_norm2"), ("mlp.fc1", "mlp.fc1"),
                             ("mlp.fc2", "mlp.fc2")):  # fmt: skip
            for part in ("weight", "bias"):
                renamed[f"blocks.{block}.{theirs}.{part}"] = ours[f"{mine}.{name}.{part}"]
    return renamed


def _bert(prefix, model, norm):
    """LAVIS' names of a Q-Former: BERT's."""
    renamed = {}
    for name, weight in model.state_dict().items():
        theirs = name.replace("attention.attention.", "attention.self.")
        theirs = theirs.replace(norm, "embeddings.LayerNorm.") if name.startswith(norm) else theirs
        renamed[f"{prefix}.bert.{theirs}"] = weight
    return renamed


def folder(place, seed=0, *, stale=False):
    """Write all files into the folder `place`; returns what they were made of.

    stale: InstructBLIP's and TimeChat's files also hold weights that a later file replaces.
    """
    made = parts(seed)
    with torch.no_grad():
        for layer in made.vision.encoder.layers:
            layer.self_attn.qkv.bias[EVA : 2 * EVA] = 0  # EVA's keys have none
    place.mkdir(parents=True)
    _llama(place / "llama", made.language)
    BertTokenizer(vocab={word: at for at, word in enumerate(WORDS)}).save_pretrained(place / "bert")
    norm = made.vision.state_dict()
    qformer = _bert("Qformer", made.qformer, "embeddings.layernorm.")
    video = _bert("video_Qformer", made.video, "layernorm.")
    other = {name: torch.full_like(weight, 9.0) for name, weight in qformer.items()}
    files = {
        "eva_vit_g": _vision(made.vision),
        "instruct_blip_vicuna7b_trimmed": {
            **(other if stale else qformer),
            "query_tokens": made.loose["query_tokens"] + (9 if stale else 0),
            "ln_vision.weight": norm["post_layernorm.weight"],
            "ln_vision.bias": norm["post_layernorm.bias"],
            "Qformer.cls.predictions.bias": torch.ones(3),
            "llm_proj.weight": torch.ones(3, WIDTH),
        },
        "timechat_7b": {
            **made.loose,
            **qformer,
            **{n: w + 9 if stale and w.is_floating_point() else w for n, w in video.items()},
        },
        "VL_LLaMA_2_7B_Finetuned": {
            **video,
            "llama_proj.weight": torch.full((HIDDEN, WIDTH), 9.0),
            "video_query_tokens": torch.full((1, VIDEO_QUERIES, WIDTH), 9.0),
        },
    }
    for name, weights in files.items():
        kept = {key: weight.clone().contiguous() for key, weight in weights.items()}
        save_file(kept, place / f"{name}.safetensors")
    return made
