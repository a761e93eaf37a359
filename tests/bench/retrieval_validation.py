"""Validation in the training of a retriever: each video encoded once, beside once for each batch.

    python -m tests.bench.retrieval_validation BENCHMARK [--steps N]

Trains clip4clip with `tune=all` for a few steps from one tiny random checkpoint (tests/baselines/
tiny.py), validated after every step. "Once a batch" is the loop that was there before: all
validation videos are encoded again for every 32 queries, and texts one by one. Both get the same
batches and the figures of both are printed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from baselines.base import TrainerConfig, View
from baselines.encoders.image_text import load_clip
from baselines.retrieval_training import contrastive
from baselines.retrieval_training.contrastive import ContrastiveModule, LearningRates
from baselines.retrieval_training.encoder_pairs import FrameBatch, Readings, TrainableEncoder
from baselines.retrievers.clip4clip import CLIP4ClipHead
from baselines.running.views import labelled_split
from baselines.video.features import PIXELS, extract_features
from harness.benchmark import Benchmark
from tests.baselines import tiny

MOST, RATE = 12, 1.0


class CountedEncoder(TrainableEncoder):
    """Counts the videos that it encodes; `single`: texts go through the model one by one."""

    encoded = 0
    single = False

    def frames(self, video_ids: Sequence[str]) -> FrameBatch:
        """As the encoder's own."""
        self.encoded += len(video_ids)
        return super().frames(video_ids)

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """As the encoder's own, or each text by itself."""
        if not self.single:
            return super().texts(readings)
        sums = [sum(self._clip.text(text) * weight for text, weight in each) for each in readings]
        return nn.functional.normalize(torch.cat([torch.as_tensor(each) for each in sums]), dim=-1)


class OnceABatch(ContrastiveModule):
    """The peer: nothing is kept from one batch of queries to the next."""

    def on_validation_epoch_start(self) -> None:
        """Encode nothing."""

    def validation_step(self, batch: Tensor, _: int) -> None:
        """Encode all validation videos and rank them."""
        self._val_frames = self._frames(self._val_videos)
        super().validation_step(batch, _)


def main() -> None:
    """Print encodings, seconds of the processor, and the last figures of both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--steps", type=int, default=5)
    given = parser.parse_args()
    benchmark, contrastive.VALIDATIONS = Benchmark(given.benchmark), given.steps
    contrastive.PATIENCE = given.steps
    spent = {}
    with tempfile.TemporaryDirectory() as home:
        folder = tiny.clip(Path(home, "clip"))
        for kind in (OnceABatch, ContrastiveModule):
            torch.manual_seed(0)
            module, view = _module(kind, benchmark, str(folder), Path(home, "cache"))
            config = TrainerConfig(Path(home, kind.__name__), steps=given.steps)
            lines: list[str] = []
            view = View(view.videos, (), view.folder, "own", 0, note=lines.append)
            start = time.process_time()
            contrastive.train_module(module, view, config, epochs=100)
            spent[kind] = (module.encoders.encoded, time.process_time() - start)  # type: ignore[attr-defined]
            print(f"{kind.__name__:18} {spent[kind][0]:6,} videos encoded, "
                  f"{spent[kind][1]:7.2f} s of processor; {lines[-1]}")  # fmt: skip
    ratios = [before / after for before, after in zip(*spent.values(), strict=True)]
    print(f"ratio: {ratios[0]:.1f} of the encodings, {ratios[1]:.1f} of the processor time")


def _module(kind: Any, benchmark: Benchmark, folder: str, cache: Path) -> tuple[Any, View]:
    """A module with both splits' pairs, and the view of the benchmark."""
    clip = load_clip(folder, None)
    splits = [labelled_split(benchmark, name, "clip4clip") for name in ("train", "val")]
    train, val = (contrastive.training_pairs(split, "last") for split in splits)
    videos = dict.fromkeys(pair.video_id for pair in (*train, *val))
    pixels = extract_features(
        [benchmark.videos[video_id] for video_id in videos], benchmark.folder,
        clip.sampler(RATE, MOST), PIXELS, cache=cache, note=str,
    )  # fmt: skip
    encoders = CountedEncoder(clip, pixels, MOST)
    encoders.single = kind is OnceABatch
    head = CLIP4ClipHead(clip.width, MOST, "mean", maps=False)
    module = kind(head, encoders, train, val, rates=LearningRates(1e-4, 1e-5), scale=14.0)
    return module, View(benchmark.videos, (), benchmark.folder, "own", 0)


if __name__ == "__main__":
    main()
