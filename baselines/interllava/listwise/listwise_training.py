"""Trains the small InterLLaVA on features: gold videos and gold spans of the train split alone.

Three stages: what reads the frames; the language model (both in listwise_pretraining.py); then the
language model's LoRA adapters and the tokens of ranks, on videos held out from the first stage,
whose reader is frozen (baselines/interllava/training.py). The weights of the best validation of the
last stage are taken, where the benchmark has a val split.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from baselines.base import LabelledSplit, TrainerConfig, View
from baselines.dialogue_context import reference_queries
from baselines.event_models.controls import training_split
from baselines.features.feature_sets import FeatureSet, open_features
from baselines.interllava.listwise.listwise_data import (
    VALIDATION_TURNS,
    choice_example,
    divide,
    list_turns,
    moment_example,
    named_videos,
    span_turns,
    training_turns,
)
from baselines.interllava.listwise.listwise_examples import (
    BATCH_SIZE,
    ListwiseCollator,
    ListwiseSampler,
    ListwiseTurns,
)
from baselines.interllava.listwise.listwise_network import ListwiseNetwork
from baselines.interllava.listwise.listwise_pretraining import RankedLanguageModule, ReaderModule
from baselines.interllava.model import with_lora
from baselines.interllava.reference_answers import split_vocabulary
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.small_language import DECAY
from baselines.interllava.tokenizer import small_tokenizer
from baselines.interllava.training import METRICS, InterLLaVAModule, LossConfig, TurnBatch
from baselines.localisation.moment_inputs import InputFacts, feature_lines, text_reader
from baselines.localisation.video_steps import RowSource
from baselines.networks.vocabulary import Vocabulary
from baselines.training import checkpoints
from baselines.training.batches import StepBatches
from baselines.training.fit import fit
from harness.benchmark import Benchmark

STEPS = {
    "reader": {"small": 150, "full": 300},
    "words": {"small": 100, "full": 700},
    "assistant": {"small": 20, "full": 80},
}
READER_BATCH = 32
RATE = 1e-3  # of the last stage
VALIDATIONS = 2
TEXTS = ("video", "moment")  # tasks of the turns whose words the reader knows


class Validation(NamedTuple):
    """Validation turns as functions that make a batch, and their gold numbers, or spans in ms."""

    batches: list[Callable[[], TurnBatch]]
    gold: list[list[Any]]
    monitor: str | None


def train(settings: InterLLaVASettings, view: View, config: TrainerConfig) -> None:
    """Train and write the folder `config.out`.

    Raises WrongUsageError if no features are named, EnvironmentFailure if they are absent or
    damaged, MissingInputError if they have no video of the train split.
    """
    training = training_split(view, settings.control)
    names = sorted(named_videos(training) | named_videos(view.validation))
    features = open_features(settings.features, names, view.folder, view.note)
    rows = RowSource(features)
    pieces = () if settings.text else _vocabulary(training).pieces
    text = text_reader(settings, pieces, view)
    facts = InputFacts(feature_lines(features), pieces, text.key, features.width, text.width)
    vocabulary = split_vocabulary(training, view)
    tokenizer = small_tokenizer(vocabulary)
    torch.manual_seed(config.seed)
    network = ListwiseNetwork(facts.inputs, tokenizer, ranks=settings.ranks)
    collate = ListwiseCollator(tokenizer, text.encode, network.candidate_tokens)
    turns = training_turns(training, rows, features)
    parts = divide(turns, config.seed)

    def stage(
        module: pl.LightningModule, name: str, data: ListwiseTurns, *, chats: bool = True,
        size: int = BATCH_SIZE, **more: Any,
    ) -> None:  # fmt: skip
        sampler = ListwiseSampler(data, rows, chats=chats, size=size)
        loader = StepBatches(sampler, collate, seed=config.seed).loader()
        steps = STEPS[name][settings.size]
        fit(module, loader, config, stage=name, steps=steps, note=view.note, **more)

    stage(ReaderModule(network), "reader", parts.reader, chats=False, size=READER_BATCH)
    stage(RankedLanguageModule(network, tokenizer, settings.losses), "words", turns)
    network.net.language = with_lora(network.net.language, ())
    network.frames.requires_grad_(False)
    validation = _validation(features, rows, view.validation, collate)
    losses = LossConfig(settings.losses, settings.weight, RATE, DECAY)
    module = InterLLaVAModule(network, tokenizer, losses, validation.batches, validation.gold)
    numbers: Any = range(len(validation.batches))
    stage(
        module, "assistant", parts.assistant, times=VALIDATIONS, monitor=validation.monitor,
        validation=DataLoader(numbers, batch_size=4) if validation.batches else None,
    )  # fmt: skip
    checkpoints.save(
        config.out,
        baseline="interllava",
        settings=settings,
        weights=network.state_dict(),
        facts={
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "inputs": msgspec.to_builtins(facts),
            "seed": config.seed,
            "turns": {"video": len(turns.lists), "moment": len(turns.spans)},
            "validation": module.figures,
            "vocabulary": vocabulary,
        },
    )


def _vocabulary(training: LabelledSplit) -> Vocabulary:
    return Vocabulary.of_texts(turn.utterance for turn in training.turns if turn.task in TEXTS)


def _validation(
    features: FeatureSet, rows: RowSource, split: LabelledSplit | None, collate: ListwiseCollator
) -> Validation:
    """Video turns whose gold video is in their list, and moment turns, in batches of one task."""
    if split is None:
        return Validation([], [], None)
    queries = reference_queries(split)
    choices = [
        (partial(choice_example, turn.query, features, features), turn.places[at])
        for turn in list_turns(queries, split, features)
        if turn.gold in turn.given and (at := turn.given.index(turn.gold)) >= 0
    ]
    moments = [
        (partial(moment_example, turn.query, features, turn.video_id, 1), (turn.start, turn.end))
        for turn in span_turns(queries, split, rows)[:VALIDATION_TURNS]
    ]
    tasks: list[list[tuple[Callable[[], Any], Any]]] = [list(choices), list(moments)]
    parts = [
        turns[at : at + BATCH_SIZE] for turns in tasks for at in range(0, len(turns), BATCH_SIZE)
    ]
    batches = [partial(_batch, collate, [make for make, _ in part]) for part in parts]
    monitor = METRICS["video"] if choices else METRICS["moment"] if moments else None
    return Validation(list(batches), [[gold for _, gold in part] for part in parts], monitor)


def _batch(collate: ListwiseCollator, examples: list[Callable[[], Any]]) -> TurnBatch:
    return collate([make() for make in examples])
