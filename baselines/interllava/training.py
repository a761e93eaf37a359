"""Trains InterLLaVA with its three losses and generates its replies, in both configurations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import pytorch_lightning as pl
from torch import Tensor

from baselines.interllava.losses import (
    IGNORE_INDEX,
    AnswerSpan,
    argmax_loss,
    auxiliary_loss,
    lm_loss,
)
from baselines.interllava.model import InterLLaVA, TokenBatch
from baselines.interllava.tokenizer import Tokenizer
from baselines.training.fit import one_cycle
from harness.chat.messages import Reply
from harness.records import Task
from harness.replies import candidate_number, span

LossForm = Literal["spelt", "argmax", "words"]
MAX_CANDIDATES = 10
MAX_REPLY_TOKENS = 48
METRICS = {"video": "C-R@1", "moment": "R@1,IoU>=0.5", "chat": "answered"}


class TurnBatch(NamedTuple):
    """Turns of one task as network input; visual: the input of the network's frame encoder."""

    task: Task
    tokens: TokenBatch
    visual: Any
    answers: list[AnswerSpan]


class VideoLanguageNetwork(Protocol):
    """InterLLaVA with a frame encoder in front."""

    @property
    def net(self) -> InterLLaVA:
        """All that follows the frame encoder."""

    def encode_frames(self, batch: TurnBatch) -> Tensor | None:
        """The video tokens of a batch: (video tokens, width); None of no video."""


class LossConfig(NamedTuple):
    """The form and weight of number loss and span loss; AdamW's peak rate and weight decay."""

    form: LossForm
    weight: float
    rate: float
    decay: float


class InterLLaVAModule(pl.LightningModule):
    """Trains a network; answers validation turns."""

    def __init__(
        self, network: Any, tokenizer: Tokenizer, config: LossConfig,
        prompts: Sequence[Callable[[], TurnBatch]] = (), gold: Sequence[Sequence[Any]] = (),
    ) -> None:  # fmt: skip
        """prompts: make the validation batches. gold: for each turn its number, or span in ms."""
        super().__init__()
        self.network, self._tokenizer, self._config = network, tokenizer, config
        self._prompts, self._gold = prompts, gold
        self._numbers = tokenizer.number_tokens(MAX_CANDIDATES)
        self._correct: dict[Task, list[bool]] = {}
        self.figures: dict[str, float] = {}

    def training_step(self, batch: TurnBatch, _: int) -> Tensor:
        """The cross entropy of words plus the weighted number and span losses: a scalar."""
        logits = self.network.net(batch.tokens, self.network.encode_frames(batch))
        loss = lm_loss(logits, batch.tokens.labels)
        # A moment turn's prompt gives its video's number, so there is no number to learn.
        with_number = batch.task != "moment"
        answers = [each if with_number else each._replace(number=None) for each in batch.answers]
        if self._config.form == "spelt":
            loss = loss + self._config.weight * auxiliary_loss(logits, answers, self._numbers)
        elif self._config.form == "argmax":
            rows = zip(logits, batch.tokens.labels, strict=True)
            texts = [self._most_likely_text(*row) for row in rows]
            loss = loss + self._config.weight * argmax_loss(texts, answers, MAX_CANDIDATES)
        return loss

    def _most_likely_text(self, logits: Tensor, labels: Tensor) -> str:
        """The most likely token at each position of an answer, as a text."""
        ids = logits[:-1].argmax(-1)[labels[1:] != IGNORE_INDEX]
        return self._tokenizer.decode(ids.tolist())

    def validation_step(self, which: Tensor, _: int) -> None:
        """Answer the validation batches of these numbers, (n,)."""
        for at in which.tolist():
            batch = self.transfer_batch_to_device(self._prompts[at](), self.device, 0)
            texts = generate_replies(self.network, self._tokenizer, batch)
            for text, gold in zip(texts, self._gold[at], strict=True):
                correct = is_correct(batch.task, text, gold)
                self._correct.setdefault(batch.task, []).append(correct)

    def on_validation_epoch_end(self) -> None:
        """Log the share of correct answers, by task."""
        self.figures = {
            METRICS[task]: round(sum(correct) / len(correct), 4)
            for task, correct in self._correct.items()
        }
        self.log_dict(self.figures)
        self._correct = {}

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip gradients to norm 1."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate."""
        return one_cycle(self, self._config.rate, self._config.decay)


def generate_replies(
    network: VideoLanguageNetwork, tokenizer: Tokenizer, batch: TurnBatch
) -> list[str]:
    """The network's greedy reply to each prompt of a batch."""
    videos = network.encode_frames(batch)
    replies = network.net.generate(batch.tokens, videos, MAX_REPLY_TOKENS, tokenizer.end)
    return [tokenizer.decode(ids) for ids in replies.tolist()]


def single_reply(network: VideoLanguageNetwork, tokenizer: Tokenizer, batch: TurnBatch) -> Reply:
    """The reply to a batch of one prompt, and how many tokens both have."""
    [answer] = generate_replies(network, tokenizer, batch)
    written = len(tokenizer.encode(answer).ids)
    return Reply(answer.strip(), None, batch.tokens.ids.shape[1], written)


def is_correct(task: Task, text: str, gold: Any) -> bool:
    """Whether a reply names the gold number, or a span (gold: in ms) with an IoU of 0.5 or more."""
    if task == "video":
        return bool(candidate_number(text, MAX_CANDIDATES).value == gold)
    moment = span(text).value
    if moment is None:
        return False
    common = min(moment.end, gold[1]) - max(moment.start, gold[0])
    return bool(2 * common >= max(moment.end, gold[1]) - min(moment.start, gold[0]))
