"""Loads sentence-transformers models (6.x): a folder, or a name that `hf download` has fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from baselines.encoders.resolve import loading, locate_checkpoint
from baselines.encoders.weights_report import refuse_unexpected
from harness.errors import EnvironmentFailure

POOLER = "pooler"  # BERT's layer over its first token; the library's poolings do not read it
# What StaticEmbedding reads of a file: its own name, and those of model2vec.
STATIC_NAMES = {"embedding.weight", "embeddings", "mapping", "weights"}


def load_sentence_model(checkpoint: str, revision: str | None) -> tuple[SentenceTransformer, str]:
    """The model and its key; only safetensors are read, and no code of the checkpoint is run.

    Raises EnvironmentFailure if it is absent or damaged, or if its weights are not those of its
    networks; WrongUsageError if a revision is given for a folder.
    """
    folder, key = locate_checkpoint(checkpoint, revision)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with loading(checkpoint, folder, unused=(POOLER,)):
        model = SentenceTransformer(
            str(folder), device=device, local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )  # fmt: skip
    _check_static(checkpoint, folder, model)
    tokenizer: Any = model.tokenizer
    tokenizer.truncation_side = "left"  # the latest words of a dialogue matter most
    model.eval()
    if not np.isfinite(model.encode(["?"], show_progress_bar=False)).all():
        raise EnvironmentFailure(
            f"{checkpoint}: its embeddings are no numbers: its weights are damaged, or lack the "
            f"{POOLER} that its modules read; fetch it again"
        )
    return model, key


def save_sentence_model(model: SentenceTransformer, folder: Path) -> None:
    """Write a model in the library's own format, without its generated model card."""
    with loading(str(folder), folder):
        model.save(str(folder), create_model_card=False, safe_serialization=True)


def _check_static(checkpoint: str, folder: Path, model: SentenceTransformer) -> None:
    """Check the one module that picks tensors from its file; the others read all or refuse."""
    if any(isinstance(module, StaticEmbedding) for module in model):
        for path in folder.rglob("*.safetensors"):
            with safe_open(path, framework="pt") as tensors:
                refuse_unexpected(checkpoint, set(tensors.keys()) - STATIC_NAMES)
