"""Trains published InterLLaVA on a benchmark's train split; it needs no annotated events.

Frame encoder and language model keep their published weights. Q-Formers, projection, LoRA adapters
and the embeddings of the special tokens are trained. As in the paper, training uses the video turns
whose answer names a candidate and the moment turns whose answer names a span; chat turns too.
Differs from the paper's code: the special tokens' embeddings are trained (there they keep their
random initial values), a frame's time is its middle, and the video Q-Former does not attend to the
padding of a frame's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from baselines.base import LabelledSplit, MissingInputError, Query, TrainerConfig, View
from baselines.dialogue_context import reference_queries
from baselines.encoders.resolve import locate_checkpoint
from baselines.interllava import prompts
from baselines.interllava.published.published_data import (
    FrameLoader,
    TurnSampler,
    TurnWithVideos,
    make_batch,
)
from baselines.interllava.published.published_files import PublishedModel
from baselines.interllava.published.published_network import PublishedNetwork
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.training import InterLLaVAModule, LossConfig, TurnBatch
from baselines.training import checkpoints
from baselines.training.batches import StepBatches
from baselines.training.fit import fit
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError

STEPS, RATE, DECAY = 10_000, 3e-5, 0.05


def train(settings: InterLLaVASettings, view: View, config: TrainerConfig) -> None:
    """Train, and write the folder `config.out`: the trained weights, without the frozen ones.

    Raises EnvironmentFailure if a published file is absent or damaged, WrongUsageError without
    labels, MissingInputError if no turn is fit for training.
    """
    if view.training is None:
        raise WrongUsageError(
            "interllava: training expects a train split with labels, found none; name a benchmark "
            "that has one"
        )
    model, sha256 = load_model(settings)
    turns = _turns_with_answers(view.training)

    def collate(batch: Sequence[TurnWithVideos]) -> TurnBatch:
        return make_batch(model, batch)

    losses = LossConfig(settings.losses, settings.weight, RATE, DECAY)
    module = InterLLaVAModule(PublishedNetwork(model), model.tokenizer, losses)
    sampler = TurnSampler(turns, FrameLoader(view, model, settings))
    loader = StepBatches(sampler, collate, seed=config.seed).loader()
    fit(module, loader, config, stage="assistant", steps=STEPS, note=view.note)
    _save(settings, view, config, model, sha256)


def load_model(settings: InterLLaVASettings) -> tuple[PublishedModel, str]:
    """The published model, and the SHA-256 over all its files.

    Raises WrongUsageError if no folder is named, EnvironmentFailure if a file is absent or damaged.
    """
    if not settings.files:
        raise WrongUsageError(
            "interllava needs the published files, --set files=FOLDER (docs/assistants.md says "
            "which); on IVCR-Mini --set config=tiny is trained from scratch"
        )
    folder, sha256 = locate_checkpoint(settings.files, None)
    return PublishedModel(Path(folder), getattr(torch, settings.dtype)), sha256


def trained_weights(model: PublishedModel) -> dict[str, Tensor]:
    """What training changes: the weights, each of its own shape, by their names in `model.net`."""
    trained = {name for name, weight in model.net.named_parameters() if weight.requires_grad}
    return {name: weight for name, weight in model.net.state_dict().items() if name in trained}


def _turns_with_answers(training: LabelledSplit) -> list[tuple[Query, str]]:
    """The turns of the train split that are fit for training, with their answers."""
    turns = [
        (query, gold.answer)
        for query, gold in zip(reference_queries(training), training.gold, strict=True)
        if query.task == "chat" or prompts.names_target(query.task, gold.answer)
    ]
    if not turns:
        raise MissingInputError(
            "train split: expected answers that name a candidate or a span, found none; their "
            'forms are "video 3" and "5.0s-10.0s"'
        )
    return turns


def _save(
    settings: InterLLaVASettings, view: View, config: TrainerConfig, model: PublishedModel,
    sha256: str,
) -> None:  # fmt: skip
    checkpoints.save(
        config.out,
        baseline="interllava",
        settings=settings,
        weights=trained_weights(model),
        facts={
            "config": "full",
            "files": sha256,
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "seed": config.seed,
        },
    )
