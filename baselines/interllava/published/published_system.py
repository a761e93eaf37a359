"""InterLLaVA from published files, end to end: trained on a benchmark's train split, asked.

Frames are stretched to the frame encoder's square and normed as CLIP's; their number is the
paper's, 12 of a candidate and up to 64 of a moment's video. The frame encoder and the language
model stay as published; Q-Formers, projection, adapters and the added tokens' embeddings learn. As
in the paper, video turns are learnt whose answer names a candidate, moment turns whose answer names
a span.
Differs from the paper's code: added tokens learn (there they stay as drawn), frames have their
middles' times, and what fills up a frame's text is not read by the video Q-Former.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning_fabric.utilities import move_data_to_device
from torch import Tensor, nn

from baselines.base import MissingInputError, Provenance, Query, TrainerConfig, View
from baselines.dialogue_context import told_by_reference
from baselines.encoders.resolve import locate_checkpoint
from baselines.interllava import prompts
from baselines.interllava.model import Frames
from baselines.interllava.published.published_files import Published
from baselines.interllava.queries import Question
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.training import Batch, LossConfig, Teaching, replies
from baselines.training import checkpoints
from baselines.training.batches import StepBatches
from baselines.training.fit import fit
from baselines.video.containers import BadVideoError
from baselines.video.sampling import Sampler, library, sample
from baselines.vlm.parsing import NO_VIDEO
from harness.benchmark import Benchmark
from harness.chat.messages import Reply
from harness.errors import WrongUsageError
from harness.records import Task

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's pictures, red, green, blue; deviation too
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
FRAME_RATE = 4.0  # frames a second at most
KEPT = 64  # videos whose frames are kept at hand
TRIES = 1_000  # turns that are drawn, until as many of a kind as a batch has can be read
STEPS, SIZE, RATE, DECAY = 10_000, 4, 3e-5, 0.05


class Film(NamedTuple):
    """Frames of a video: bytes (frames, side, side, 3), and the Q-Former's text of each."""

    pixels: Tensor
    words: Tensor
    mask: Tensor


class FullNet(nn.Module):
    """The published network behind its frame encoder; one video after the other is looked at."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, files: Published) -> None:
        super().__init__()
        self.vision, self.net = files.vision, files.net
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def looked(self, batch: Batch) -> Tensor | None:
        """The tokens of a batch's videos: (tokens, width)."""
        return self.net.seen([self._frames(film) for film in batch.sight])

    @torch.no_grad()
    def _frames(self, film: Film) -> Frames:
        pictures = (film.pixels.permute(0, 3, 1, 2) / 255 - self.mean) / self.deviation
        kind = next(self.vision.parameters()).dtype
        seen = self.vision(pictures.to(kind)).last_hidden_state
        kept = next(self.net.tokens.parameters()).dtype
        return Frames(seen[None].to(kept), film.words[None], film.mask[None])


class Films:
    """The frames of a benchmark's videos, decoded when they are asked for."""

    def __init__(self, view: View, files: Published, chosen: InterLLaVASettings) -> None:
        side: Any = files.vision.config.image_size
        self._samplers = {
            "video": Sampler(FRAME_RATE, side, chosen.frames),
            "moment": Sampler(FRAME_RATE, side, chosen.moment_frames),
        }
        self._view, self._sampled = view, files.sampled
        self.taken = lru_cache(KEPT)(self._taken)
        self.others: dict[str, str] = {}  # by video id the one that is shown in its place

    def _taken(self, video_id: str, kind: str) -> Film | None:
        """The frames of a video; None if it cannot be read."""
        video = self._view.videos.get(self.others.get(video_id, video_id))
        if video is None or video.path is None:
            return None
        try:
            frames = sample(self._view.folder / video.path, self._samplers[kind])
        except BadVideoError as error:
            self._view.note(f"{video.video_id}: left out: {error}")
            return None
        told = [prompts.SAMPLED.format(time=f"{at / 1000:.1f}") for at in frames.times]
        texts = self._sampled(told, padding="longest", return_tensors="pt")
        return Film(torch.from_numpy(frames.pixels), texts["input_ids"], texts["attention_mask"])


class Turn(NamedTuple):
    """A turn to be learnt or asked: its videos with their numbers, and its answer if it has one."""

    kind: Task
    query: Query
    numbers: tuple[int, ...]
    films: tuple[Film, ...]
    answer: str | None = None


def collated(files: Published, turns: Sequence[Turn]) -> Batch:
    """Turns of one kind as a batch."""
    rows = [_row(files, turn) for turn in turns]
    films = [film for turn in turns for film in turn.films]
    spelt = [row.spelt for row in rows]
    return Batch(turns[0].kind, prompts.rows(rows, files.words.end), films, spelt)


def _row(files: Published, turn: Turn) -> prompts.Row:
    form = files.net.tokens.form
    added = [[-1] * form.tokens(len(film.pixels)) for film in turn.films]
    if turn.kind == "video":
        prompt = prompts.choosing(turn.query, turn.numbers)
    elif turn.kind == "moment":
        prompt = prompts.grounding(turn.query, turn.numbers[0])
    else:
        prompt = prompts.talking(turn.query)
    return prompts.row(files.words, prompt, added, turn.answer)


def learnt(chosen: InterLLaVASettings, view: View, config: TrainerConfig) -> None:
    """Train, and write the folder `config.out`: the weights that learnt, without the others.

    Raises EnvironmentFailure if a published file is absent or damaged, WrongUsageError without
    labels, MissingInputError if no turn can be learnt from.
    """
    if view.training is None:
        raise WrongUsageError("expected a train split with labels to train on")
    files, key = opened(chosen)
    films = Films(view, files, chosen)
    taught = [
        (query, gold.answer)
        for query, gold in zip(told_by_reference(view.training), view.training.gold, strict=True)
        if query.task == "chat" or prompts.names_what_is_asked(query.task, gold.answer)
    ]
    if not taught:
        raise MissingInputError("no answer of the train split names a candidate or a span")

    def collate(turns: Sequence[Turn]) -> Batch:
        return collated(files, turns)

    module = Teaching(
        FullNet(files), files.words, LossConfig(chosen.losses, chosen.weight, RATE, DECAY)
    )
    loader = StepBatches(_Draw(taught, films), collate, seed=config.seed).loader()
    fit(module, loader, config, stage="assistant", steps=STEPS, note=view.note)
    learning = {name for name, weight in files.net.named_parameters() if weight.requires_grad}
    checkpoints.save(
        config.out,
        baseline="interllava",
        settings=chosen,
        weights={n: weight for n, weight in files.net.state_dict().items() if n in learning},
        facts={
            "config": "full",
            "files": key,
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "seed": config.seed,
        },
    )


class _Draw:
    """Draws batches of turns of one kind, whose videos can be read."""

    def __init__(self, taught: Sequence[tuple[Query, str]], films: Films) -> None:
        self._taught, self._films = taught, films

    def __call__(self, step: int, drawn: np.random.Generator) -> list[Turn]:
        found: list[Turn] = []
        for at in drawn.integers(len(self._taught), size=TRIES):
            query, answer = self._taught[at]
            if not found or query.task == found[0].kind:
                turn = _turn(query, self._films, answer)
                found += [turn] if turn is not None else []
            if len(found) == SIZE:
                return found
        raise MissingInputError(f"hardly a turn has videos that can be read ({TRIES} were tried)")


def opened(chosen: InterLLaVASettings) -> tuple[Published, str]:
    """The published files, and the SHA-256 over all of them."""
    if not chosen.files:
        raise WrongUsageError(
            "interllava needs the published files, --set files=FOLDER (docs/assistants.md says "
            "which); on IVCR-Mini --set config=tiny is trained from scratch"
        )
    folder, key = locate_checkpoint(chosen.files, None)
    return Published(Path(folder), getattr(torch, chosen.dtype)), key


def _turn(
    query: Query, films: Films, answer: str | None, video_id: str | None = None
) -> Turn | None:
    """A turn with its videos; None if none of them can be read."""
    if query.task == "chat":
        return Turn("chat", query, (), (), answer)
    if query.task == "video":
        seen = {
            number: film
            for number, name in enumerate(query.candidates, start=1)
            if (film := films.taken(name, "video")) is not None
        }
        return Turn("video", query, tuple(seen), tuple(seen.values()), answer) if seen else None
    name = video_id or query.video_id or ""
    film = films.taken(name, "moment")
    number = query.candidates.index(name) + 1 if name in query.candidates else 1
    return None if film is None else Turn("moment", query, (number,), (film,), answer)


class FullSystem:
    """Published files with what was learnt, ready to be asked, one question after the other."""

    def __init__(self, chosen: InterLLaVASettings, view: View) -> None:
        """Load all weights. Raises as `learnt` does, and as `checkpoints.load`."""
        files, key = opened(chosen)
        details: dict[str, Any] = {"files": key, "decoder": library()}
        data = ["pre-training of the published files"]
        if chosen.checkpoint:
            kept = checkpoints.load(Path(chosen.checkpoint), baseline="interllava")
            if kept.facts.get("config") != "full" or kept.facts["files"] != key:
                raise WrongUsageError(
                    f"{chosen.checkpoint}: was not trained from these published files; name the "
                    "folder that it was trained from"
                )
            files.net.load_state_dict(kept.weights, strict=False)
            details |= {"checkpoint": kept.sha256, "seed": kept.facts["seed"]}
            data.append(kept.facts["benchmark"])
        self._network = FullNet(files).eval()
        self._network.to("cuda" if torch.cuda.is_available() else "cpu")
        self._files, self._films = files, Films(view, files, chosen)
        if chosen.control == "videos_permuted":
            order = np.random.default_rng(view.seed).permutation(len(view.corpus))
            others = [view.corpus[at] for at in order]
            self._films.others = dict(zip(view.corpus, others, strict=True))
        self.provenance = Provenance(
            parameters=sum(weight.numel() for weight in self._network.parameters()),
            frames_per_video=f"{chosen.frames} of a candidate, {chosen.moment_frames} for moments",
            training_data=tuple(data),
            details=details | {"prompts_sha256": prompts.PROMPTS_SHA256},
        )

    def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """A reply to each; it depends on its question alone."""
        return [self._reply(each) for each in questions]

    @torch.inference_mode()
    def _reply(self, asked: Question) -> Reply:
        turn = _turn(asked.as_query(), self._films, None, asked.video_id)
        if turn is None:
            return Reply(why=NO_VIDEO)
        batch = _moved(collated(self._files, [turn]), next(self._network.parameters()).device)
        [said] = replies(self._network, self._files.words, batch)
        count = len(self._files.words.told(said).ids)
        return Reply(said.strip(), None, batch.rows.ids.shape[1], count)


def _moved(batch: Batch, device: torch.device) -> Batch:
    moved: Batch = move_data_to_device(batch, device)
    return moved
