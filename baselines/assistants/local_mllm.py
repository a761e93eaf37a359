"""Any multimodal checkpoint of `transformers` that reads pictures and writes text, run here.

Prompts and parsing are those of `endpoint`, in plain words: there is no structured output. Decoding
is greedy: the most probable token each time. `batch` conversations are generated at once, padded on
the left. A sum over a padded batch may differ in its last bits, and so, rarely, a token: with
batch=1, the default, an answer depends on its query alone; with more it may depend on the other
queries in its batch (the same run still gives the same bytes). Only safetensors are read, and no
code of a checkpoint is run. docs/assistants.md has commands.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from PIL import Image

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.encoders.processors import load_processor
from baselines.encoders.resolve import loading, locate_checkpoint
from baselines.vlm.assistant import Assistant
from baselines.vlm.conversation import PromptBuilder
from baselines.vlm.images import VideoImages
from baselines.vlm.prompts import PROMPTS_SHA256
from harness.chat.messages import Message, Reply, Request
from harness.errors import WrongUsageError
from harness.records import Moment

ABOUT = About(
    needs=("frames", "checkpoint"), explains=True, candidates="used", languages=("en", "zh")
)
# The library's factories carry no types of their own.
AutoModel: Any = transformers.AutoModelForImageTextToText


class LocalMLLMSettings(Settings, frozen=True):
    """The checkpoint, its pictures and texts, and the length of its replies.

    checkpoint: a folder, or a name that `hf download` has fetched. revision: the commit of a name.
    frames: of each candidate. moment_frames: pictures of a moment turn's video. side: of a frame,
    in pixels. texts: whether prompts hold the texts of videos. max_tokens: the length of a reply.
    dtype: of the weights in memory. batch: the number of questions that are answered together.
    """

    checkpoint: str = "Qwen/Qwen2.5-VL-3B-Instruct"
    revision: str | None = None
    frames: int = 8
    moment_frames: int = 32
    side: int = 224
    texts: Literal["none", "all"] = "all"
    max_tokens: int = 128
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch: int = 1


class LocalMLLM(Baseline):
    """Chooses, grounds and answers by the checkpoint's replies."""

    settings_type = LocalMLLMSettings
    _settings: LocalMLLMSettings

    def __init__(self, settings: LocalMLLMSettings) -> None:
        """Keep the settings. Raises WrongUsageError if a number is out of range."""
        for name in ("frames", "side", "max_tokens", "batch"):
            if getattr(settings, name) < 1:
                raise WrongUsageError(f"local_mllm: --set {name}: expected a number above 0")
        if settings.moment_frames < 0:
            raise WrongUsageError("local_mllm: --set moment_frames: expected 0 or more")
        self._settings = settings

    def prepare(self, view: View) -> None:
        """Load the checkpoint and make the pictures.

        Raises EnvironmentFailure if the checkpoint is absent or damaged, MissingInputError if no
        video can be read.
        """
        chosen = self._settings
        folder, self._key = locate_checkpoint(chosen.checkpoint, chosen.revision)
        with loading(chosen.checkpoint, folder):
            self._model = AutoModel.from_pretrained(
                folder, use_safetensors=True, dtype=getattr(torch, chosen.dtype),
                local_files_only=True,
            )  # fmt: skip
            self._processor = load_processor(folder)
        _check(chosen.checkpoint, self._processor)
        self._processor.tokenizer.padding_side = "left"
        self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        kind, device = self._model.config.model_type, self._model.device.type
        view.note(f"{chosen.checkpoint}: {kind}, {self._parameters():,} weights, on {device}")
        self._pictures = VideoImages(view, chosen.frames, chosen.moment_frames, chosen.side)
        builder = PromptBuilder(view.videos, self._pictures, with_texts=chosen.texts == "all")
        self._assistant = Assistant(self._complete, builder, view.videos)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query."""
        return self._assistant.answer(queries)

    def explain(self, moments: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """What the model says to the user about a moment that another baseline found."""
        return self._assistant.explain(moments)

    def provenance(self) -> Provenance:
        """The checkpoint's hash or revision, the hash of the prompts and those of the pictures."""
        chosen = self._settings
        return Provenance(
            parameters=self._parameters(),
            frames_per_video=f"{chosen.frames} of a candidate, {chosen.moment_frames} for moments",
            training_data=(f"pre-training of {Path(chosen.checkpoint).name}",),
            details={
                "checkpoint": self._key,
                "prompts_sha256": PROMPTS_SHA256,
                "pictures": self._pictures.details(),
            },
        )

    def _parameters(self) -> int:
        return sum(weight.numel() for weight in self._model.parameters())

    def _complete(self, requests: Sequence[Request]) -> list[Reply]:
        remaining = iter(requests)
        return [
            reply
            for batch in iter(lambda: list(islice(remaining, self._settings.batch)), [])
            for reply in self._generate(batch)
        ]

    @torch.inference_mode()
    def _generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Replies to the requests of one batch."""
        inputs = self._processor.apply_chat_template(
            [[_message(message) for message in request.whole_conversation(structured=False)]
             for request in requests],
            add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
            processor_kwargs={"padding": len(requests) > 1},
        ).to(self._model.device, dtype=self._model.dtype)  # fmt: skip
        output = self._model.generate(
            **inputs, do_sample=False, num_beams=1, max_new_tokens=self._settings.max_tokens
        )
        replies = output[:, inputs["input_ids"].shape[1] :]  # (requests, tokens)
        texts = self._processor.batch_decode(replies, skip_special_tokens=True)
        counts = inputs["attention_mask"].sum(dim=1).tolist()
        for text, count, tokens in zip(texts, counts, replies, strict=True):
            ended = self._end(tokens)
            length = len(tokens) if ended is None else ended + 1
            yield Reply(text, None, count, length, cut=ended is None)

    def _end(self, tokens: torch.Tensor) -> int | None:
        """The place of the token that ends a reply; None if its limit of length cut it off."""
        ends = torch.tensor(_listed(self._model.generation_config.eos_token_id))
        ended = torch.isin(tokens.cpu(), ends).nonzero()
        return int(ended[0]) if len(ended) else None


def _listed(token: int | list[int] | None) -> list[int]:
    return [] if token is None else token if isinstance(token, list) else [token]


def _message(message: Message) -> dict[str, Any]:
    """A message in the form of chat templates, its pictures decoded."""
    return {"role": message.role, "content": [_part(part) for part in message.parts]}


def _part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image", "image": Image.open(io.BytesIO(part)).convert("RGB")}


def _check(checkpoint: str, processor: Any) -> None:
    if getattr(processor, "image_processor", None) is None or not processor.chat_template:
        raise WrongUsageError(
            f"{checkpoint}: has no image processor or no chat template; expected a checkpoint that "
            "holds conversations about pictures"
        )
