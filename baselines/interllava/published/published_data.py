"""The data of published InterLLaVA: sampled frames, turns with their videos, training batches.

Frames are stretched to the frame encoder's square. Their number is the paper's: 12 of a candidate,
up to 64 of a moment turn's video.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from baselines.base import MissingInputError, Query, View
from baselines.interllava import prompts
from baselines.interllava.published.published_files import PublishedModel
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.training import TurnBatch
from baselines.video.containers import BadVideoError
from baselines.video.sampling import Sampler, sample
from harness.benchmark import VideoFolder
from harness.records import Task

FRAME_RATE = 4.0  # frames a second at most
CACHED_VIDEOS = 64
BATCH_SIZE = 4
MAX_TRIES = 1_000  # turns that are drawn for one batch


class VideoFrames(NamedTuple):
    """A video's frames as bytes, (frames, side, side, 3), and the Q-Former's text of each.

    text_ids, text_mask: (frames, n).
    """

    pixels: Tensor
    text_ids: Tensor
    text_mask: Tensor


class FrameLoader:
    """The frames of a benchmark's videos, decoded when they are needed.

    replacements: by video id the video that is shown in its place (a control).
    """

    def __init__(self, view: View, model: PublishedModel, settings: InterLLaVASettings) -> None:
        side = int(model.vision.config.image_size)  # type: ignore[arg-type]
        self._samplers = {
            "video": Sampler(FRAME_RATE, side, settings.frames),
            "moment": Sampler(FRAME_RATE, side, settings.moment_frames),
        }
        self._view, self._tokenizer = view, model.frame_tokenizer
        self._home = VideoFolder(view.folder)
        self.load = lru_cache(CACHED_VIDEOS)(self._load)
        self.replacements: dict[str, str] = {}

    def _load(self, video_id: str, task: Task) -> VideoFrames | None:
        """The frames of a video for a turn of that task; None if it cannot be read."""
        video = self._view.videos.get(self.replacements.get(video_id, video_id))
        if video is None:
            return None
        path = self._home.find(video)
        if isinstance(path, str):
            self._view.note(f"{video.video_id}: left out: {path}")
            return None
        try:
            frames = sample(path, self._samplers[task])
        except BadVideoError as error:
            self._view.note(f"{video.video_id}: left out: {error}")
            return None
        texts = [prompts.FRAME_TIME.format(time=f"{at / 1000:.1f}") for at in frames.times]
        encoding = self._tokenizer(texts, padding="longest", return_tensors="pt")
        pixels = torch.from_numpy(frames.pixels)
        return VideoFrames(pixels, encoding["input_ids"], encoding["attention_mask"])


class TurnWithVideos(NamedTuple):
    """A turn, its videos with their numbers, and its answer (None: it is to be generated)."""

    task: Task
    query: Query
    numbers: tuple[int, ...]
    videos: tuple[VideoFrames, ...]
    answer: str | None = None


def load_turn(
    query: Query, loader: FrameLoader, answer: str | None, video_id: str | None = None
) -> TurnWithVideos | None:
    """A turn with its videos; None if none of them can be read."""
    if query.task == "chat":
        return TurnWithVideos("chat", query, (), (), answer)
    if query.task == "video":
        videos = {
            number: video
            for number, name in enumerate(query.candidates, start=1)
            if (video := loader.load(name, "video")) is not None
        }
        if not videos:
            return None
        return TurnWithVideos("video", query, tuple(videos), tuple(videos.values()), answer)
    name = video_id or query.video_id or ""
    video = loader.load(name, "moment")
    number = query.candidates.index(name) + 1 if name in query.candidates else 1
    return None if video is None else TurnWithVideos("moment", query, (number,), (video,), answer)


def make_batch(model: PublishedModel, turns: Sequence[TurnWithVideos]) -> TurnBatch:
    """Turns of one task as a batch."""
    rows = [_token_row(model, turn) for turn in turns]
    videos = [video for turn in turns for video in turn.videos]
    tokens = prompts.pad_rows(rows, model.tokenizer.end)
    return TurnBatch(turns[0].task, tokens, videos, [row.answer for row in rows])


def _token_row(model: PublishedModel, turn: TurnWithVideos) -> prompts.TokenRow:
    config = model.net.tokens.config
    video_words = [[-1] * config.token_count(len(video.pixels)) for video in turn.videos]
    if turn.task == "video":
        prompt = prompts.choice_prompt(turn.query, turn.numbers)
    elif turn.task == "moment":
        prompt = prompts.grounding_prompt(turn.query, turn.numbers[0])
    else:
        prompt = prompts.chat_prompt(turn.query)
    return prompts.encode_row(model.tokenizer, prompt, video_words, turn.answer)


class TurnSampler:
    """Draws training batches: turns of one task whose videos can be read."""

    def __init__(self, turns: Sequence[tuple[Query, str]], loader: FrameLoader) -> None:
        """turns: with their answers."""
        self._turns, self._loader = turns, loader

    def __call__(self, step: int, rng: np.random.Generator) -> list[TurnWithVideos]:
        """A batch. Raises MissingInputError if too few of MAX_TRIES turns can be read."""
        batch: list[TurnWithVideos] = []
        for at in rng.integers(len(self._turns), size=MAX_TRIES):
            query, answer = self._turns[at]
            if not batch or query.task == batch[0].task:
                turn = load_turn(query, self._loader, answer)
                batch += [turn] if turn is not None else []
            if len(batch) == BATCH_SIZE:
                return batch
        raise MissingInputError(
            f"train split: expected {BATCH_SIZE} turns with readable videos among {MAX_TRIES}, "
            f"found {len(batch)}; check the paths in videos.jsonl"
        )
