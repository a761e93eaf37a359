"""Trains tiny InterLLaVA (IVCR-Mini only: needs annotated events), from a trained dual encoder.

Four stages: the grounder; the language model; the layers from frames to video tokens
(tiny_pretraining.py); both together, where the language model is frozen except for its LoRA
adapters (baselines/interllava/training.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig, View
from baselines.event_models.controls import training_split
from baselines.event_models.event_annotations import read_annotations
from baselines.event_models.recogniser_checkpoints import load_initialisation, save_checkpoint
from baselines.event_models.recogniser_training import Size
from baselines.interllava.reference_answers import split_vocabulary
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.small_language import DECAY, LanguageModule
from baselines.interllava.tiny.tiny_batches import ExampleCollator
from baselines.interllava.tiny.tiny_checkpoint import TinyNetworks
from baselines.interllava.tiny.tiny_data import (
    encode_splits,
    training_data,
    validation_batches,
)
from baselines.interllava.tiny.tiny_examples import ExampleSampler, TinyTrainingData
from baselines.interllava.tiny.tiny_frame_encoder import StepRelevanceHead
from baselines.interllava.tiny.tiny_pretraining import VideoTokenModule
from baselines.interllava.training import InterLLaVAModule, LossConfig, TurnBatch
from baselines.localisation.events.grounding_training import GroundingSchedule, train_grounder
from baselines.training.batches import StepBatches
from baselines.training.fit import fit

GROUNDER = GroundingSchedule(rate=1e-3, steps={"small": 200, "full": 1200})
STEPS: dict[str, dict[Size, int]] = {
    "words": {"small": 150, "full": 700},
    "tokens": {"small": 100, "full": 300},
    "assistant": {"small": 40, "full": 400},
}
RATE = 2e-3
VALIDATIONS = 3


class Stages(NamedTuple):
    """What the stages of one training run share."""

    networks: TinyNetworks
    data: TinyTrainingData
    collate: ExampleCollator
    settings: InterLLaVASettings
    view: View
    config: TrainerConfig

    def loader(self, *, with_chats: bool = True) -> DataLoader[object]:
        """Training batches."""
        sampler = ExampleSampler(self.data, with_chats=with_chats)
        return StepBatches(sampler, self.collate, seed=self.config.seed).loader()

    def steps(self, stage: str) -> int:
        """The optimizer steps of a stage."""
        return STEPS[stage][self.settings.size]


def train(settings: InterLLaVASettings, view: View, config: TrainerConfig, start: Path) -> None:
    """Train from the dual encoder in the folder `start`; write the folder `config.out`.

    Raises WrongUsageError or EnvironmentFailure if `start` holds no dual encoder of this benchmark,
    MissingInputError if the benchmark lacks annotated events or turns that are fit for training.
    """
    training = training_split(view, "none")
    annotations = read_annotations(view.folder, "interllava")
    initial = load_initialisation(start, "dual_encoder", annotations.attributes)
    splits = encode_splits(view, training, annotations, initial.lexicon, initial.recogniser)
    torch.manual_seed(config.seed)
    vocabulary = split_vocabulary(training, view)
    networks = TinyNetworks(initial.lexicon, annotations.value_count, vocabulary)
    networks.matcher.load_state_dict(initial.weights)
    grounder = train_grounder(
        splits.moments, StepRelevanceHead, view, config, GROUNDER, settings.size
    )
    networks.grounder.load_state_dict(grounder.grounder.state_dict())
    encoder = networks.frame_encoder()
    collate = ExampleCollator(networks.tokenizer, encoder)
    data = training_data(splits, encoder.matcher)
    stages = Stages(networks, data, collate, settings, view, config)
    _pretrain(stages)
    networks.add_lora()
    figures = _train_together(stages, *validation_batches(splits, collate))
    save_checkpoint(
        "interllava", settings, view, config, initial.recogniser, networks, initial.lexicon,
        vocabulary=vocabulary, dual_encoder=initial.sha256,
        validation={"reader": grounder.figures, "assistant": figures},
    )  # fmt: skip


def _pretrain(stages: Stages) -> None:
    """The language model, and the layers from frames to video tokens, each by itself."""
    networks, config, note = stages.networks, stages.config, stages.view.note
    language = LanguageModule(networks.tiny, networks.tokenizer, stages.settings.losses)
    fit(language, stages.loader(), config, stage="words", steps=stages.steps("words"), note=note)
    video_tokens = VideoTokenModule(networks.tiny)
    loader = stages.loader(with_chats=False)
    fit(video_tokens, loader, config, stage="tokens", steps=stages.steps("tokens"), note=note)


def _train_together(
    stages: Stages, batches: Sequence[Callable[[], TurnBatch]], gold: Sequence[Sequence[Any]]
) -> dict[str, float]:
    """The last stage; returns the figures of its last validation."""
    networks, settings = stages.networks, stages.settings
    losses = LossConfig(settings.losses, settings.weight, RATE, DECAY)
    module = InterLLaVAModule(networks.tiny, networks.tokenizer, losses, batches, gold)
    fit(
        module,
        stages.loader(),
        stages.config,
        stage="assistant",
        steps=stages.steps("assistant"),
        validation=DataLoader(range(len(batches)), batch_size=4) if batches else None,  # type: ignore[arg-type]
        times=VALIDATIONS,
        note=stages.view.note,
    )
    return module.figures
